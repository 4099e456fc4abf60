"""Pages lead from one to the next, and months have their own ends."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from monkey_coder_protocol.billing import ReceiptPage, Statement
from monkey_coder_server.features.billing.receipts import MOST_MOVEMENTS, ReceiptRoutes, read_month
from monkey_coder_server.ports.ledger import SignedReceipt
from monkey_coder_server.ports.statements import CreditMoved, CreditSums, Issued, Line, Place
from monkey_coder_server.web.asgi import Reply

NOW = datetime(2026, 11, 28, tzinfo=UTC)
ALL = [
    Issued(SignedReceipt(f"rcpt_{n}", "acct_1", "{}", "s", "k", "h"), Place(1_000 + n // 2, f"req_{n}"), "key_1", n)
    for n in range(7)
]


class Shelf:
    """Keeps `ALL` as the books do."""

    def __init__(self, *, movements: int = 0) -> None:
        self._moved = [CreditMoved(NOW, "grant", 1, None)] * movements

    async def credit(self, account_id: str, *, most: int, **_: Any) -> CreditSums:
        assert account_id == "acct_1"
        return CreditSums(0, len(self._moved), 0, 0, 0, 0, len(self._moved), self._moved[:most])

    async def lines(self, *_: Any, **__: Any) -> list[Line]:
        return []

    async def issued(self, account_id: str, *, after: Place | None, most: int, **_: Any) -> list[Issued]:
        assert account_id == "acct_1"
        behind = (after.at, after.request_id) if after else (0, "")
        return [each for each in ALL if (each.place.at, each.place.request_id) > behind][:most]


def over(shelf: Shelf) -> ReceiptRoutes:
    clock = SimpleNamespace(now=lambda: NOW)
    return ReceiptRoutes(shelf, clock)  # type: ignore[arg-type] - as much of both as is asked for


async def page(query: dict[str, str]) -> ReceiptPage:
    return msgspec.json.decode(await told(over(Shelf()).page, query), type=ReceiptPage)


async def told(ask: Callable[[Any], Awaitable[Reply]], query: dict[str, str]) -> bytes:
    request = SimpleNamespace(pairs=list(query.items()), principal=SimpleNamespace(account_id="acct_1"))
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    reply = await ask(request)
    await reply({"type": "http", "method": "GET"}, None, send)  # type: ignore[arg-type] - nothing is received
    return b"".join(each.get("body", b"") for each in sent)


@pytest.mark.parametrize("limit", ["1", "3", "7", "100"])
async def test_following_the_pages_meets_each_receipt_once(limit: str) -> None:
    met, after = [], ""
    while True:
        told = await page({"limit": limit, "after": after})
        met += [receipt.receipt_id for receipt in told.receipts]
        if told.next is None:
            break
        after = told.next
    assert met == [each.receipt.receipt_id for each in ALL]


@pytest.mark.parametrize("movements", [MOST_MOVEMENTS - 1, MOST_MOVEMENTS, MOST_MOVEMENTS + 1])
async def test_a_statement_says_when_it_lists_not_every_movement(movements: int) -> None:
    statement = msgspec.json.decode(await told(over(Shelf(movements=movements)).statement, {}), type=Statement)
    assert len(statement.credit.movements) == min(movements, MOST_MOVEMENTS)
    assert statement.credit.truncated == (movements > MOST_MOVEMENTS)
    assert statement.credit.closing_nano == movements


@pytest.mark.parametrize(
    ("month", "start", "end"),
    [("2026-11", (2026, 11), (2026, 12)), ("2026-12", (2026, 12), (2027, 1)), ("", (2026, 11), (2026, 12))],
)
def test_a_month_ends_where_the_next_begins(month: str, start: tuple[int, int], end: tuple[int, int]) -> None:
    assert read_month(month, NOW) == (datetime(*start, 1, tzinfo=UTC), datetime(*end, 1, tzinfo=UTC))
