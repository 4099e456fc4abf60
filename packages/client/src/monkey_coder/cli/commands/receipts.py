"""`receipts list|show|verify`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.exits import Exit
from monkey_coder.cli.failures import CommandFailed
from monkey_coder.cli.group import group
from monkey_coder.cli.options import DAY, day, pass_session
from monkey_coder.cli.session import Session

if TYPE_CHECKING:
    from monkey_coder.receipts import Verdict
    from monkey_coder_protocol.billing import Receipt

_PAGE = 500
_NONE = (
    "There are no receipts of this time yet. Every request that is charged makes one, "
    "`monkey implement` for instance; failed ones make none."
)
_FILE = click.Path(path_type=Path, dir_okay=False)


@command("show", examples=("monkey receipts show rcpt_123", "monkey receipts show rcpt_123 -o receipt.json"))
@click.argument("receipt_id")
@click.option("-o", "--output", "target", type=_FILE, metavar="FILE", help="Save it as JSON.")
@pass_session
def show(session: Session, receipt_id: str, target: Path | None) -> None:
    """Show a receipt, or save it for `receipts verify`."""
    with session.client() as client:
        receipt = client.receipts(receipt_id)
    if target is not None:
        _save(target, receipt)
        session.note(f"wrote {target}")
    if target is None or session.on("json"):
        session.emit(receipt, text=lambda: _shown(receipt))


@command(
    "list",
    examples=("monkey receipts list --from 2026-11-01", "monkey receipts list --for key_123 -o receipts.jsonl"),
)
@click.option("--from", "start", type=DAY, metavar="DAY", help="First day, as YYYY-MM-DD.")
@click.option("--to", "end", type=DAY, metavar="DAY", help="Last day, as YYYY-MM-DD.")
@click.option("--for", "key_id", metavar="ID", help="Only of this API key (`monkey keys list` shows the ids).")
@click.option("-o", "--output", "target", type=_FILE, metavar="FILE", help="Save them as JSON, one a line.")
@pass_session
def list_receipts(session: Session, start: Any, end: Any, key_id: str | None, target: Path | None) -> None:
    """List what was charged, oldest first; 30 days unless told otherwise."""
    found = list(_listed(session, start=day(start), end=day(end), key_id=key_id))
    if target is not None:
        import json  # noqa: PLC0415  # only where something is saved

        lines = (json.dumps(output.plain(receipt)) + "\n" for receipt in found)
        target.write_text("".join(lines), encoding="utf-8")
        session.note(f"wrote {len(found)} receipts to {target}")
    if target is None or session.on("json"):
        session.emit({"receipts": found}, text=lambda: _table(found) if found else _NONE)


@command(
    "verify",
    examples=(
        "monkey receipts verify",
        "monkey receipts verify rcpt_123",
        "monkey receipts verify receipts.jsonl --keys keys.json",
    ),
)
@click.argument("receipts", nargs=-1)
@click.option("--keys", "keys_file", type=_FILE, metavar="FILE", help="The gateway's public keys, saved.")
@pass_session
def verify(session: Session, receipts: tuple[str, ...], keys_file: Path | None) -> None:
    """Check signatures and hash chains of RECEIPTS (ids or saved files); without any, of the last 30 days.

    Of saved receipts nothing is asked of any server once their public keys are known: they are kept after the first
    time, and served at /.well-known/monkey-receipts.json.
    """
    from monkey_coder.cli.receipt_keys import keys_for  # noqa: PLC0415  # only this command needs it
    from monkey_coder.receipts import verify_all  # noqa: PLC0415  # only this command needs it

    found = [receipt for name in receipts for receipt in _named(session, name)]
    found = found if receipts else list(_listed(session))
    keys = keys_for(session, {receipt.key_id for receipt in found}, keys_file)
    result = verify_all(found, keys)
    chained = len(receipts) != 1 or len(found) > 1
    gaps = result.gaps if chained else ()
    document = {
        "valid": result.valid,
        "receipts": [
            {"receipt_id": each.receipt_id, "valid": each.valid, "problem": each.problem, "body": each.body}
            for each in result.receipts
        ],
        "gaps": [{"key_id": gap.key_id, "receipt_id": gap.receipt_id, "problem": gap.problem} for gap in gaps],
        "whole_chains_of": list(result.whole),
    }
    if not chained:
        document |= {"receipt_id": found[0].receipt_id, "key_id": found[0].key_id, "body": result.receipts[0].body}
    if not result.valid:
        _refuse(session, result, document)
    session.emit(document, text=lambda: _verdict(result, chained=chained))


receipts = group("receipts", "List, show and verify signed receipts.", list_receipts, show, verify)


def _named(session: Session, name: str) -> "Sequence[Receipt]":
    from monkey_coder.receipts import read_receipts  # noqa: PLC0415  # only this command needs it

    if Path(name).is_file():
        return read_receipts(Path(name).read_bytes())
    if name.endswith((".json", ".jsonl")) or "/" in name:
        message = f"There is no file {name!r}."
        raise click.UsageError(message)
    with session.client() as client:
        return [client.receipts(name)]


def _listed(
    session: Session, *, start: str | None = None, end: str | None = None, key_id: str | None = None
) -> "Iterator[Receipt]":
    after = None
    with session.client() as client:
        while True:
            page = client.receipt_page(start=start, end=end, key_id=key_id, limit=_PAGE, after=after)
            yield from page.receipts
            after = page.next
            if after is None:
                return


def _refuse(session: Session, result: "Verdict", document: dict[str, Any]) -> None:
    """Name each receipt that is wrong, and each gap. Raises `CommandFailed`."""
    wrong = [f"Receipt {each.receipt_id} is NOT valid. {each.problem}" for each in result.receipts if each.problem]
    wrong += [f"The chain of {gap.key_id} has a gap. {gap.problem}" for gap in result.gaps]
    for line in wrong[1:]:
        session.note(line)
    raise CommandFailed(
        Exit.TASK_FAILED,
        "receipt_invalid",
        message=wrong[0],
        hint="Keep what you have and ask the gateway's operator.",
        facts=document,
    )


def _save(target: Path, receipt: "Receipt") -> None:
    import json  # noqa: PLC0415  # only this command needs it

    target.write_text(json.dumps(output.plain(receipt), indent=2) + "\n", encoding="utf-8")


def _shown(receipt: "Receipt") -> str:
    import json  # noqa: PLC0415  # only this command needs it

    try:
        body = json.loads(receipt.body)
    except json.JSONDecodeError:
        body = receipt.body
    pairs = list(body.items()) if isinstance(body, dict) else [("body", body)]
    shown = [(name, value if isinstance(value, str) else json.dumps(value)) for name, value in pairs]
    return output.fields([*shown, ("signed by", receipt.key_id), ("chain hash", receipt.chain_hash)])


def _verdict(result: "Verdict", *, chained: bool) -> str:
    if not chained:
        return f"Receipt {result.receipts[0].receipt_id} is valid: the signature and the hash chain fit."
    whole = f", {len(result.whole)} from their very first receipt on" if result.whole else ""
    chains = len({each.body.get("key_id") for each in result.receipts})
    counted = "1 receipt is" if len(result.receipts) == 1 else f"{len(result.receipts)} receipts are"
    return f"{counted} valid, without a gap; chains of API keys: {chains}{whole}."


def _table(found: "Sequence[Receipt]") -> str:
    import json  # noqa: PLC0415  # only this command needs it

    bodies = [json.loads(receipt.body) for receipt in found]
    rows = [
        (
            body.get("receipt_id"),
            str(body.get("at", ""))[:19],
            f"{body.get('provider')}/{body.get('model')}",
            output.usd(body.get("charge_usd")),
            body.get("key_id"),
        )
        for body in bodies
    ]
    return output.columns(("receipt", "at (UTC)", "model", "charged", "key"), rows)
