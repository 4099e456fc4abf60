"""`GET /v1/billing/forecast`: from what the books hold to days and dollars."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from monkey_coder_protocol.billing import Forecast
from packages.server.tests.contract.booking import hold_request, settle

NANO = 1_000_000_000
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def forecast(house: Any, customer: Any) -> dict[str, Any]:
    answer = await house.client.get("/v1/billing/forecast", headers=customer.headers)
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    assert set(body) == set(Forecast.__struct_fields__)
    return body


async def spent_daily(house: Any, customer: Any, days: int, price: int) -> None:
    """So much on each of so many days before this one."""
    books = house.gateway.books.storage.books
    for ago in range(1, days + 1):
        at = datetime.now(UTC) - timedelta(days=ago)
        asked = hold_request(price, at=at, expires_at=at + timedelta(hours=1), account_id=customer.account_id)
        await books.place(asked)
        await settle(books, asked, price, at=at)


async def test_a_new_account_is_told_that_too_little_is_known(house: Any) -> None:
    customer = await house.customer(usd=7)
    await spent_daily(house, customer, 3, NANO)
    body = await forecast(house, customer)
    assert (body["enough_history"], body["days"], body["days_needed"]) == (False, 3, 21)
    assert {body[name] for name in ("a_day", "rest_of_month", "month", "runs_out")} == {None}
    assert body["available_usd"] == "4.00"


async def test_a_steady_account_is_told_the_day_its_credit_ends(house: Any) -> None:
    customer = await house.customer(usd=40)
    await spent_daily(house, customer, 30, NANO)
    books = house.gateway.books.storage.books
    await books.place(hold_request(2 * NANO, account_id=customer.account_id))
    body = await forecast(house, customer)
    assert (body["enough_history"], body["days"], body["interval_percent"]) == (True, 30, 80)
    assert body["available_usd"] == "8.00"
    told = date.fromisoformat(body["at"][:10])
    assert body["runs_out"]["earliest"] == body["runs_out"]["latest"] == (told + timedelta(days=8)).isoformat()
    assert body["a_day"]["expected_usd"] == "1.00"
    rest, month = (Decimal(body[name]["expected_usd"]) for name in ("rest_of_month", "month"))
    assert month - rest == Decimal(body["spent_month_usd"])
    assert 0 < rest < 31
