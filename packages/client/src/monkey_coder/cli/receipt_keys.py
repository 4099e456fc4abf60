"""The public keys receipts are checked with: asked for once, then kept, so that checking needs no gateway."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from monkey_coder.cli.exits import Exit
from monkey_coder.cli.failures import CommandFailed
from monkey_coder.cli.session import Session

FILE = "receipt-keys.json"


def keys_for(session: Session, needed: Iterable[str], given: Path | None) -> Mapping[str, str]:
    """The keys of these ids, by id: from the file that was given, else those kept, else the gateway's, then kept.

    Raises `CommandFailed` when the gateway shows another key under a name that is known.
    """
    from monkey_coder.receipts import read_keys  # noqa: PLC0415  # only this command needs it

    if given is not None:
        return read_keys(given.read_bytes()).keys
    base_url = session.settings().base_url
    kept = _kept(session)
    known = kept.get(base_url, {})
    if set(needed) <= known.keys():
        return known
    with session.client(needs_key=False) as client:
        shown = client.receipt_keys().keys
    changed = sorted(name for name, key in shown.items() if known.get(name, key) != key)
    if changed:
        raise CommandFailed(
            Exit.TASK_FAILED,
            "receipt_key_changed",
            message=f"The gateway shows another public key {changed[0]!r} than before.",
            hint=f"Ask its operator; if the change is meant, remove {_path(session)}.",
        )
    _keep(session, {**kept, base_url: {**known, **shown}})
    return {**known, **shown}


def _path(session: Session) -> Path | None:
    user_path = session.settings().user_path
    return None if user_path is None else user_path.with_name(FILE)


def _kept(session: Session) -> dict[str, dict[str, str]]:
    path = _path(session)
    try:
        found = json.loads(path.read_bytes()) if path is not None else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep(session: Session, keys: Mapping[str, Mapping[str, str]]) -> None:
    path = _path(session)
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(keys, indent=2) + "\n", encoding="utf-8")
    except OSError as refused:
        session.note(f"The keys could not be kept in {path} ({refused.strerror}).")
