"""`receipts show|verify`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.exits import Exit
from monkey_coder.cli.failures import CommandFailed
from monkey_coder.cli.group import group
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.session import Session

if TYPE_CHECKING:
    from monkey_coder.receipts import Verification
    from monkey_coder_protocol.billing import Receipt

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
    "verify",
    examples=(
        "monkey receipts verify rcpt_123",
        "monkey receipts verify receipt.json --keys keys.json",
    ),
)
@click.argument("receipt")
@click.option("--keys", "keys_file", type=_FILE, metavar="FILE", help="The gateway's public keys, saved.")
@pass_session
def verify(session: Session, receipt: str, keys_file: Path | None) -> None:
    """Check signature and hash chain of RECEIPT (an id or a saved file).

    With a saved receipt and --keys nothing is asked of any server. The keys are served at
    /.well-known/monkey-receipts.json.
    """
    from monkey_coder.receipts import verify as check  # noqa: PLC0415  # only this command needs it

    found = _receipt(session, receipt)
    result = check(found, _keys(session, keys_file))
    if result.problem:
        raise CommandFailed(
            Exit.TASK_FAILED,
            "receipt_invalid",
            message=f"Receipt {found.receipt_id} is NOT valid. {result.problem}",
            hint="Keep it and ask the gateway's operator.",
        )
    document = {"receipt_id": found.receipt_id, "valid": True, "key_id": found.key_id, "body": result.body}
    session.emit(document, text=lambda: _verdict(result))


receipts = group("receipts", "Show and verify signed receipts.", show, verify)


def _receipt(session: Session, name: str) -> "Receipt":
    from monkey_coder.receipts import read_receipt  # noqa: PLC0415  # only this command needs it

    if Path(name).is_file():
        return read_receipt(Path(name).read_bytes())
    if name.endswith(".json") or "/" in name:
        message = f"There is no file {name!r}."
        raise click.UsageError(message)
    with session.client() as client:
        return client.receipts(name)


def _keys(session: Session, path: Path | None) -> dict[str, str]:
    from monkey_coder.receipts import read_keys  # noqa: PLC0415  # only this command needs it

    if path is not None:
        return read_keys(path.read_bytes()).keys
    with session.client(needs_key=False) as client:
        return client.receipt_keys().keys


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


def _verdict(result: "Verification") -> str:
    return f"Receipt {result.receipt_id} is valid: the signature and the hash chain fit."
