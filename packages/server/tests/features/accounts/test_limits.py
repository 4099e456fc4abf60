"""Limits an operator sets bind the account, its projects and its keys, and no key gets out of them."""

from typing import Any

import pytest

from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, Period, Standing, Unit
from monkey_coder_server.features.accounts.limits import Allowance, LimitWish, list_limits, set_limits
from monkey_coder_server.ports.accounts import AuditEntry
from monkey_coder_server.ports.books import LeaseWish

pytestmark = pytest.mark.asyncio(loop_scope="module")
TOKENS, MONEY = Allowance(Unit.TOKENS, 500), Allowance(Unit.MONEY, 1_000)


def wish(customer: Any, allowance: Allowance | None, **changes: Any) -> LimitWish:
    return LimitWish(customer.email, Period.DAY, allowance, **changes)


async def test_a_limit_is_set_changed_listed_and_taken_back(house: Any) -> None:
    use, customer = house.gateway.books.accounts, await house.customer()
    holder = Holder(HolderKind.ACCOUNT, customer.account_id)
    for allowance in (MONEY, TOKENS, Allowance(Unit.TOKENS, 700)):
        standings = await set_limits(use, wish(customer, allowance))
    money, tokens = Limit(holder, Period.DAY, Unit.MONEY, 1_000), Limit(holder, Period.DAY, Unit.TOKENS, 700)
    assert list(standings) == [Standing(money), Standing(tokens)]
    assert [standing for _, standing in await list_limits(use, customer.email)] == list(standings)
    assert customer.email in {email for email, _ in await list_limits(use, None)}
    assert not await set_limits(use, wish(customer, None))


async def test_setting_a_limit_recalls_what_was_leased_and_no_lease_is_given_past_it(house: Any) -> None:
    books, customer = house.gateway.books, await house.customer()
    key = await books.storage.keys.list(customer.account_id)
    now = books.clock.now()
    lease = LeaseWish("lease_1", customer.account_id, key[0].key_id, "instance_1", 1_000, 1, now, now)
    assert await books.storage.books.lease(lease) is not None
    await set_limits(books.accounts, wish(customer, TOKENS, model="openai/gpt-5"))
    assert await books.storage.books.recalled("instance_1") == ["lease_1"]
    second = LeaseWish("lease_2", customer.account_id, key[0].key_id, "instance_1", 1_000, 1, now, now)
    assert await books.storage.books.lease(second) is None


async def test_every_change_is_in_the_audit_trail(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    use, customer = house.gateway.books.accounts, await house.customer()
    noted: list[AuditEntry] = []

    async def record(_self: object, entry: AuditEntry) -> None:
        noted.append(entry)

    monkeypatch.setattr(type(use.audit), "record", record)
    await set_limits(use, wish(customer, MONEY, project_id="web"))
    await set_limits(use, wish(customer, None, project_id="web"))
    assert [(entry.actor, entry.action, entry.target) for entry in noted] == [
        ("operator", "limits.set", customer.account_id)
    ] * 2
    assert noted[0].details == "project web, any model, per day: 0.000001 USD"
    assert noted[1].details == "project web, any model, per day: none"


async def test_what_does_not_exist_cannot_be_limited(house: Any) -> None:
    use, customer = house.gateway.books.accounts, await house.customer()
    with pytest.raises(NotFound):
        await set_limits(use, LimitWish("nobody@example.com", Period.DAY, MONEY))
    with pytest.raises(NotFound):
        await set_limits(use, wish(customer, TOKENS, key_id="key_none"))
    with pytest.raises(InvalidRequest):
        await set_limits(use, wish(customer, TOKENS, project_id="no such name"))


async def test_a_limited_key_makes_no_keys_and_neither_does_one_of_a_project(house: Any) -> None:
    use, customer = house.gateway.books.accounts, await house.customer()
    made = (await house.client.post("/v1/keys", json={"name": "x"}, headers=customer.headers)).json()
    await set_limits(use, wish(customer, TOKENS, key_id=made["key_id"]))
    bound = await house.key_of(customer, project_id="web")
    for key in (made["key"], bound):
        answer = await house.client.post("/v1/keys", json={"name": "y"}, headers={"x-api-key": key})
        assert answer.status_code == 403, answer.text


async def test_the_key_that_takes_a_keys_place_has_its_limits_and_project(house: Any) -> None:
    use, customer = house.gateway.books.accounts, await house.customer()
    wanted = {"name": "x", "project_id": "web", "caps": {"day_usd": "1"}, "collapse": "cascade"}
    wanted["weights"] = {"cost": 1.0, "latency": 3.0}
    made = (await house.client.post("/v1/keys", json=wanted, headers=customer.headers)).json()
    weights = {"quality": 0.0, "cost": 25.0, "latency": 75.0}
    assert (made["project_id"], made["collapse"], made["weights"]) == ("web", "cascade", weights)
    await set_limits(use, wish(customer, TOKENS, key_id=made["key_id"], model="openai/gpt-5"))
    path = f"/v1/keys/{made['key_id']}/rotate"
    turned = (await house.client.post(path, headers=customer.headers)).json()
    assert (turned["project_id"], turned["collapse"], turned["weights"]) == ("web", "cascade", weights)
    found = {standing.limit for _, standing in await list_limits(use, customer.email)}
    holder = Holder(HolderKind.KEY, turned["key_id"])
    assert Limit(holder, Period.DAY, Unit.TOKENS, 500, "openai/gpt-5") in found
    assert Limit(holder, Period.DAY, Unit.MONEY, 1_000_000_000) in found


async def test_a_project_has_a_plain_name(house: Any) -> None:
    customer = await house.customer()
    wanted = {"name": "x", "project_id": "a b"}
    answer = await house.client.post("/v1/keys", json=wanted, headers=customer.headers)
    assert answer.status_code == 400
    assert "project_id" in answer.json()["message"]
