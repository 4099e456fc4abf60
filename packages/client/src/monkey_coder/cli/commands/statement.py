"""`statement`: a month's charges, and all else that moved the balance."""

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.session import Session
from monkey_coder_protocol.billing import CreditMovement, Statement

KINDS = {
    "grant": "granted",
    "purchase": "purchased",
    "plan": "included in a plan",
    "credit_line": "free again of the line",
    "refund": "refunded",
    "taken_back": "taken back",
    "paid_back": "paid back",
    "debt_paid": "debt paid",
}


@command("statement", examples=("monkey statement", "monkey statement --month 2026-11 --json"))
@click.option("--month", metavar="MONTH", help="The month, as YYYY-MM; this one when left out.")
@pass_session
def statement(session: Session, month: str | None) -> None:
    """Show what moved your balance in a month."""
    with session.client() as client:
        found = client.statement(month)
    session.emit(found, text=lambda: _shown(found))


def _shown(found: Statement) -> str:
    credit = found.credit
    pairs = [
        ("month", found.month),
        ("opening balance", output.usd(credit.opening_usd)),
        ("granted", output.usd(credit.granted_usd)),
        *_some(
            ("purchased", credit.purchased_usd, credit.purchased_nano),
            ("included in plans", credit.included_usd, credit.included_nano),
            ("free again of the line", credit.renewed_usd, credit.renewed_nano),
        ),
        ("refunded", output.usd(credit.refunded_usd)),
        *_some(("restored", credit.restored_usd, credit.restored_nano)),
        ("taken back", _less(credit.taken_back_usd)),
        *_some(
            ("paid back", f"-{credit.paid_back_usd}", credit.paid_back_nano),
            ("disputed", f"-{credit.disputed_usd}", credit.disputed_nano),
            ("debt paid", f"-{credit.debt_paid_usd}", credit.debt_paid_nano),
        ),
        ("expired", _less(credit.expired_usd)),
        ("charged", _less(credit.charged_usd)),
        ("closing balance", output.usd(credit.closing_usd)),
    ]
    parts = [output.fields(pairs)]
    if credit.movements:
        parts.append(
            output.columns(("when", "what", "amount", "request"), [_movement(moved) for moved in credit.movements])
        )
    if credit.truncated:
        parts.append(f"Only the first {len(credit.movements)} movements are shown; the sums are of all.")
    if found.lines:
        rows = [
            (line.key_id, f"{line.provider}/{line.model}", line.requests, output.usd(line.charged_usd))
            for line in found.lines
        ]
        parts.append(output.columns(("key", "model", "requests", "charged"), rows))
    return "\n\n".join(parts)


def _some(*rows: tuple[str, str, int]) -> list[tuple[str, str]]:
    """The rows whose nano-dollars are not zero."""
    return [(name, output.usd(amount)) for name, amount, nano in rows if nano]


def _movement(moved: CreditMovement) -> tuple[object, ...]:
    at = moved.at[:19].replace("T", " ")
    return at, KINDS.get(moved.kind, moved.kind), output.usd(moved.amount_usd), moved.request_id or "-"


def _less(usd: str) -> str:
    return output.usd(f"-{usd}")
