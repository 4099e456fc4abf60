"""`/v1/billing/receipts` and `/v1/billing/statement`: every charge of a period, and what else moved credit."""

import base64
import binascii
from datetime import UTC, datetime

from monkey_coder_protocol.billing import (
    CreditMovement,
    Receipt,
    ReceiptPage,
    Statement,
    StatementCredit,
    StatementLine,
)
from monkey_coder_protocol.queries import ReceiptsQuery, StatementQuery
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.money import usd
from monkey_coder_server.features.billing.period import read_period
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import SignedReceipt
from monkey_coder_server.ports.statements import CreditMoved, CreditSums, Line, Place, Statements
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.query import read_query
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

MOST_MOVEMENTS = 1_000


class ReceiptRoutes:
    """Over the statements of the caller's own account."""

    def __init__(self, statements: Statements, clock: Clock) -> None:
        self._statements = statements
        self._clock = clock

    async def page(self, request: Request) -> Reply:
        """Receipts of a period, oldest first: `start_date`, `end_date`, `key_id`, `limit`, `after`."""
        query = read_query(ReceiptsQuery, request.pairs)
        start, end = read_period(query, self._clock.now())
        found = await self._statements.issued(
            request.principal.account_id,
            start=start,
            end=end,
            after=_place(query.after),
            key_id=query.key_id or None,
            most=query.limit + 1,
        )
        shown = found[: query.limit]
        follows = _cursor(shown[-1].place) if len(found) > query.limit else None
        return json_reply(ReceiptPage(receipts=[sent(each.receipt) for each in shown], next=follows))

    async def statement(self, request: Request) -> Reply:
        """What a month came to, and what moved the balance: `month`, such as 2026-11; this month when left out."""
        account_id = request.principal.account_id
        query = read_query(StatementQuery, request.pairs)
        start, end = read_month(query.month, self._clock.now())
        lines = await self._statements.lines(account_id, start=start, end=end)
        credit = await self._statements.credit(account_id, start=start, end=end, most=MOST_MOVEMENTS + 1)
        total = sum(line.charged for line in lines)
        return json_reply(
            Statement(
                account_id=account_id,
                month=f"{start:%Y-%m}",
                start=start.isoformat(),
                end=end.isoformat(),
                receipts=sum(line.requests for line in lines),
                total_usd=usd(total),
                total_nano=total,
                lines=[_line(line) for line in lines],
                credit=_credit(credit),
            )
        )


def sent(receipt: SignedReceipt) -> Receipt:
    """A receipt as it is sent."""
    return Receipt(
        receipt_id=receipt.receipt_id,
        body=receipt.body,
        signature=receipt.signature,
        key_id=receipt.signing_key_id,
        chain_hash=receipt.chain_hash,
    )


def read_month(text: str, now: datetime) -> tuple[datetime, datetime]:
    """Start and end of a UTC month; of this one for an empty text. Raises `InvalidRequest`."""
    try:
        first = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC) if text else now.astimezone(UTC)
        start = first.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return start, start.replace(year=start.year + start.month // 12, month=start.month % 12 + 1)
    except ValueError as wrong:
        raise InvalidRequest("The query parameter `month` must be a month like 2026-11.") from wrong


def _line(line: Line) -> StatementLine:
    return StatementLine(
        key_id=line.key_id,
        provider=line.provider,
        model=line.model,
        requests=line.requests,
        input_tokens=line.input_tokens,
        output_tokens=line.output_tokens,
        charged_usd=usd(line.charged),
        charged_nano=line.charged,
    )


def _credit(credit: CreditSums) -> StatementCredit:
    return StatementCredit(
        opening_usd=usd(credit.opening),
        opening_nano=credit.opening,
        granted_usd=usd(credit.granted),
        granted_nano=credit.granted,
        purchased_usd=usd(credit.purchased),
        purchased_nano=credit.purchased,
        included_usd=usd(credit.included),
        included_nano=credit.included,
        renewed_usd=usd(credit.renewed),
        renewed_nano=credit.renewed,
        refunded_usd=usd(credit.refunded),
        refunded_nano=credit.refunded,
        restored_usd=usd(credit.restored),
        restored_nano=credit.restored,
        taken_back_usd=usd(credit.taken_back),
        taken_back_nano=credit.taken_back,
        paid_back_usd=usd(credit.paid_back),
        paid_back_nano=credit.paid_back,
        disputed_usd=usd(credit.disputed),
        disputed_nano=credit.disputed,
        debt_paid_usd=usd(credit.debt_paid),
        debt_paid_nano=credit.debt_paid,
        expired_usd=usd(credit.expired),
        expired_nano=credit.expired,
        charged_usd=usd(credit.charged),
        charged_nano=credit.charged,
        closing_usd=usd(credit.closing),
        closing_nano=credit.closing,
        movements=[_movement(moved) for moved in credit.moved[:MOST_MOVEMENTS]],
        truncated=len(credit.moved) > MOST_MOVEMENTS,
    )


def _movement(moved: CreditMoved) -> CreditMovement:
    return CreditMovement(
        at=moved.at.isoformat(),
        kind=moved.kind,
        amount_usd=usd(moved.amount),
        amount_nano=moved.amount,
        request_id=moved.request_id,
    )


def _cursor(place: Place) -> str:
    return base64.urlsafe_b64encode(f"{place.at}:{place.request_id}".encode()).decode().rstrip("=")


def _place(cursor: str) -> Place | None:
    """Where a page ended. Raises `InvalidRequest` for what no page said."""
    if not cursor:
        return None
    try:
        at, _, request_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(":")
        return Place(int(at), request_id)
    except (binascii.Error, ValueError) as wrong:
        raise InvalidRequest("The query parameter `after` must be the `next` of a page before.") from wrong
