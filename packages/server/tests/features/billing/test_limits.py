"""What is left of every limit, told to its account."""

from typing import Any

import pytest

from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, Period, Unit
from packages.server.tests.conftest import NANO_PER_USD

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_every_limit_is_shown_with_what_is_left_and_when_it_resets(house: Any) -> None:
    customer = await house.customer()
    await house.key_of(customer, caps={"day_usd": "2"})
    books = house.gateway.books
    account = Holder(HolderKind.ACCOUNT, customer.account_id)
    limits = [
        Limit(account, Period.MONTH, Unit.MONEY, 5 * NANO_PER_USD),
        Limit(account, Period.TOTAL, Unit.TOKENS, 1_000, "openai/gpt-5"),
    ]
    for limit in limits:
        await books.storage.limits.put(customer.account_id, limit, books.clock.now())
    answer = await house.client.get("/v1/billing/limits", headers=customer.headers)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["count"] == 3
    by_scope = {one["scope"]: one for one in body["limits"]}
    assert by_scope["model"] == {
        "scope": "model",
        "holder": "account",
        "holder_id": customer.account_id,
        "source": "operator",
        "model": "openai/gpt-5",
        "period": "total",
        "unit": "tokens",
        "limit": "1000",
        "spent": "0",
        "held": "0",
        "left": "1000",
        "resets_at": None,
    }
    month = by_scope["account"]
    assert (month["limit"], month["spent"], month["left"]) == ("5.00", "0.00", "5.00")
    assert month["resets_at"].endswith("-01T00:00:00+00:00")
    assert by_scope["key"]["limit"] == "2.00"


async def test_an_account_without_limits_is_told_so_and_sees_nobody_elses(house: Any) -> None:
    other, customer = await house.customer(), await house.customer()
    await house.key_of(other, caps={"day_usd": "2"})
    body = (await house.client.get("/v1/billing/limits", headers=customer.headers)).json()
    assert body == {"limits": [], "count": 0}
