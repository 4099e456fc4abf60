"""Limits of accounts, projects, keys and models: no holder spends more than it may, whatever is counted."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from monkey_coder_server.adapters.storage import retention
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, LimitReached, Period, Standing, Unit
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.accounts import Caps
from monkey_coder_server.ports.ledger import Hold, HoldRequest
from packages.server.tests.contract.booking import ACCOUNT, KEY, NOON, fail, hold_request, settle
from packages.server.tests.contract.test_caps import key

OWN, WEB, MINE = (
    Holder(HolderKind.ACCOUNT, ACCOUNT),
    Holder(HolderKind.PROJECT, "web"),
    Holder(HolderKind.KEY, KEY),
)
SERVED = "openai/gpt-5"
HOLDINGS = [(OWN, ""), (WEB, ""), (MINE, ""), (OWN, SERVED), (WEB, SERVED), (MINE, SERVED)]


def limit(allowed: int = 1_000, holder: Holder = OWN, model: str = "", **changes: Any) -> Limit:
    return replace(Limit(holder, Period.DAY, Unit.MONEY, allowed, model), **changes)


def asked(amount: int = 100, tokens: int = 100, **changes: Any) -> HoldRequest:
    return hold_request(amount, tokens=tokens, models=changes.pop("models", (SERVED,)), **changes)


async def serve(store: Storage, request: HoldRequest, price: int = 60, tokens: int = 50) -> None:
    assert isinstance(await store.books.place(request), Hold)
    await settle(store.books, request, price=price, usage=Usage(uncached_input=tokens - 7, output=7))


@pytest.fixture
async def keyed(funded: Storage) -> Storage:
    """The funded store with a key of the project `web`."""
    await funded.keys.create(replace(key(Caps()), project_id="web"))
    return funded


async def standing(store: Storage, wanted: Limit, at: datetime = NOON) -> Standing:
    [found] = [
        one
        for one in await store.limits.standings(ACCOUNT, at)
        if replace(one.limit, allowed=0) == replace(wanted, allowed=0)
    ]
    return found


EVERY_KIND = [
    limit(1_000, holder, model, period=period, unit=unit)
    for holder, model in HOLDINGS
    for period in Period
    for unit in Unit
]


@pytest.mark.parametrize("kind", EVERY_KIND, ids=lambda kind: f"{kind.holder.kind} {kind.name}")
@pytest.mark.parametrize(("size", "granted"), [(999, True), (1_000, True), (1_001, False)])
async def test_a_limit_admits_up_to_itself_and_not_one_more(
    keyed: Storage, kind: Limit, size: int, *, granted: bool
) -> None:
    await keyed.limits.put(ACCOUNT, kind, NOON)
    request = asked(size, 1) if kind.unit is Unit.MONEY else asked(1, size)
    if granted:
        assert isinstance(await keyed.books.place(request), Hold)
    else:
        with pytest.raises(LimitReached) as refused:
            await keyed.books.place(request)
        assert refused.value.standing == Standing(kind)
        assert (await keyed.ledger.wallet(ACCOUNT)).held == 0
    assert (await keyed.ledger.verify()).sound


@pytest.mark.parametrize(("holder", "model"), HOLDINGS)
async def test_what_is_held_turns_into_what_is_spent(keyed: Storage, holder: Holder, model: str) -> None:
    money, tokens = limit(1_000, holder, model), limit(1_000, holder, model, unit=Unit.TOKENS)
    for one in (money, tokens):
        if one.scope != "key" or one.unit is Unit.TOKENS:
            await keyed.limits.put(ACCOUNT, one, NOON)
    await keyed.limits.put(ACCOUNT, money, NOON)
    running, void = asked(400, 300), asked(40, 30)
    await serve(keyed, asked(200, 100), price=150, tokens=80)
    await keyed.books.place(running)
    await keyed.books.place(void)
    await fail(keyed.books, void)
    assert await standing(keyed, money) == Standing(money, 150, 400)
    assert await standing(keyed, tokens) == Standing(tokens, 80, 300)
    assert (await keyed.ledger.verify()).sound


async def test_no_more_than_was_held_counts_against_a_limit(keyed: Storage) -> None:
    money, tokens = limit(), limit(unit=Unit.TOKENS)
    await keyed.limits.put(ACCOUNT, money, NOON)
    await keyed.limits.put(ACCOUNT, tokens, NOON)
    await serve(keyed, asked(100, 100), price=900, tokens=5_000)
    assert (await standing(keyed, money)).spent == 100
    assert (await standing(keyed, tokens)).spent == 100
    assert (await keyed.ledger.verify()).sound


async def test_a_limit_on_one_model_lets_others_pass_and_counts_what_it_served(keyed: Storage) -> None:
    narrow = limit(100, OWN, "xai/grok-4")
    await keyed.limits.put(ACCOUNT, narrow, NOON)
    await serve(keyed, asked(5_000))
    await serve(keyed, asked(100, models=("xai/grok-4", SERVED)))
    assert await standing(keyed, narrow) == Standing(narrow, 0, 0)
    with pytest.raises(LimitReached):
        await keyed.books.place(asked(101, models=("xai/grok-4", SERVED)))
    assert (await keyed.ledger.verify()).sound


async def test_limits_of_others_do_not_bind(keyed: Storage) -> None:
    await keyed.keys.create(key(Caps(), "key_2"))
    for holder in (WEB, MINE):
        await keyed.limits.put(ACCOUNT, limit(1, holder, unit=Unit.TOKENS), NOON)
    assert isinstance(await keyed.books.place(asked(key_id="key_2")), Hold)
    with pytest.raises(LimitReached):
        await keyed.books.place(asked())


async def test_a_limit_set_later_counts_what_was_spent_and_is_held_before(keyed: Storage) -> None:
    await serve(keyed, asked(300, 200), price=300, tokens=200)
    await serve(keyed, asked(50, 20, at=NOON - timedelta(days=1)), price=50, tokens=20)
    running = asked(70, 60)
    await keyed.books.place(running)
    for kind in EVERY_KIND:
        await keyed.limits.put(ACCOUNT, kind, NOON)
    before = {Period.DAY: (300, 200), Period.MONTH: (350, 220), Period.TOTAL: (350, 220)}
    for one in await keyed.limits.standings(ACCOUNT, NOON):
        money, tokens = before[one.limit.period]
        expected = (money, 70) if one.limit.unit is Unit.MONEY else (tokens, 60)
        assert (one.spent, one.held) == expected, one
    await settle(keyed.books, running, price=70, usage=Usage(output=60))
    assert {one.held for one in await keyed.limits.standings(ACCOUNT, NOON)} == {0}
    assert (await keyed.ledger.verify()).sound


async def test_a_new_day_begins_with_nothing_spent_and_the_month_goes_on(keyed: Storage) -> None:
    day, month = limit(100), limit(150, period=Period.MONTH)
    await keyed.limits.put(ACCOUNT, day, NOON)
    await keyed.limits.put(ACCOUNT, month, NOON)
    later = datetime(2026, 11, 29, 23, 59, 59, tzinfo=UTC)
    await serve(keyed, asked(100, at=later), price=100)
    morning = later + timedelta(seconds=1)
    assert await standing(keyed, day, morning) == Standing(day)
    with pytest.raises(LimitReached) as refused:
        await keyed.books.place(asked(51, at=morning))
    assert refused.value.standing.limit == month
    await serve(keyed, asked(50, at=morning), price=50)
    assert await standing(keyed, day, morning) == Standing(day, 50)
    assert isinstance(await keyed.books.place(asked(100, at=datetime(2026, 12, 1, tzinfo=UTC))), Hold)
    assert (await keyed.ledger.verify()).sound


async def test_a_limit_is_changed_and_taken_back(keyed: Storage) -> None:
    for holder, unit in ((OWN, Unit.MONEY), (MINE, Unit.MONEY), (MINE, Unit.TOKENS)):
        given = limit(10, holder, unit=unit)
        await keyed.limits.put(ACCOUNT, given, NOON)
        with pytest.raises(LimitReached):
            await keyed.books.place(asked(11, 11))
        await keyed.limits.put(ACCOUNT, replace(given, allowed=11), NOON)
        held = asked(11, 11)
        await keyed.books.place(held)
        assert await keyed.limits.remove(ACCOUNT, given)
        assert not await keyed.limits.remove(ACCOUNT, given)
        await fail(keyed.books, held)
        assert await keyed.limits.standings(ACCOUNT, NOON) == []
        freed = asked(100, 100)
        await keyed.books.place(freed)
        await fail(keyed.books, freed)
        assert (await keyed.ledger.verify()).sound


async def test_a_limit_taken_back_and_set_again_counts_what_came_between(keyed: Storage) -> None:
    given = limit(1_000)
    await keyed.limits.put(ACCOUNT, given, NOON)
    await serve(keyed, asked(100), price=60)
    await keyed.limits.remove(ACCOUNT, given)
    await serve(keyed, asked(100), price=30)
    await keyed.limits.put(ACCOUNT, given, NOON)
    assert await standing(keyed, given) == Standing(given, 90)


async def test_caps_of_keys_are_listed_among_the_limits_and_revoked_keys_are_not(keyed: Storage) -> None:
    await keyed.keys.create(key(Caps(day=500, total=900), "key_2"))
    await serve(keyed, asked(100, key_id="key_2"))
    holder = Holder(HolderKind.KEY, "key_2")
    day, total = limit(500, holder), limit(900, holder, period=Period.TOTAL)
    assert await keyed.limits.standings(ACCOUNT, NOON) == [Standing(day, 60), Standing(total, 60)]
    assert await keyed.limits.standings("acc_2", NOON) == []
    await keyed.keys.revoke(ACCOUNT, "key_2", NOON)
    assert await keyed.limits.standings(ACCOUNT, NOON) == []


async def test_limits_are_set_on_what_exists_only(keyed: Storage) -> None:
    with pytest.raises(NotFound):
        await keyed.limits.put("acc_2", limit(1, Holder(HolderKind.ACCOUNT, "acc_2")), NOON)
    for unit in Unit:
        with pytest.raises(NotFound):
            await keyed.limits.put(ACCOUNT, limit(1, Holder(HolderKind.KEY, "key_2"), unit=unit), NOON)
    assert not await keyed.limits.remove("acc_2", limit(1, MINE))


async def test_many_clients_together_stay_within_every_limit(keyed: Storage) -> None:
    await keyed.limits.put(ACCOUNT, limit(1_000), NOON)
    await keyed.limits.put(ACCOUNT, limit(500, MINE, unit=Unit.TOKENS), NOON)
    results = await asyncio.gather(*[keyed.books.place(asked(30, 20)) for _ in range(64)], return_exceptions=True)
    assert sum(isinstance(result, Hold) for result in results) == 25
    assert sum(isinstance(result, LimitReached) for result in results) == 39
    assert (await keyed.ledger.verify()).sound


async def test_counters_stay_sound_when_old_usage_rows_are_dropped(keyed: Storage) -> None:
    total, day = limit(period=Period.TOTAL), limit()
    await keyed.limits.put(ACCOUNT, total, NOON)
    await keyed.limits.put(ACCOUNT, day, NOON)
    await serve(keyed, asked(100), price=60)
    later = NOON + timedelta(days=200)
    await serve(keyed, asked(100, at=later), price=30)
    kept = retention.horizon(later, 3)
    await keyed.writer.perform(partial(retention.announce, kept))
    assert await keyed.writer.perform(partial(retention.drop, ACCOUNT, kept)) == 1
    assert (await standing(keyed, total, later)).spent == 90
    report = await keyed.ledger.verify()
    assert report.sound, report.details
