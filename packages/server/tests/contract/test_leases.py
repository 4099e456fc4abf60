"""Leases: slices of a wallet and of its caps that nobody else can spend, and that come back."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import InsufficientCredit, NotFound
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, Period, Unit
from monkey_coder_server.ports.accounts import Caps
from monkey_coder_server.ports.books import Lease
from monkey_coder_server.ports.ledger import Hold
from packages.server.tests.contract.booking import ACCOUNT, KEY, NOON, StillClock, hold_request, lease_wish, resolved
from packages.server.tests.contract.test_caps import key


async def take(store: Storage, wanted: int = 2_000, **changes: object) -> Lease:
    lease = await store.books.lease(lease_wish(wanted, **changes))
    assert lease is not None
    return lease


async def figures(store: Storage) -> tuple[int, int]:
    """Balance and holds, of books that are sound."""
    assert (await store.ledger.verify()).sound
    wallet = await store.books.wallet(ACCOUNT)
    return wallet.balance, wallet.held


async def cap_key(store: Storage, **caps: int) -> None:
    await store.keys.create(key(Caps(**caps)))


async def test_a_lease_is_held_in_the_wallet(funded: Storage) -> None:
    wish = lease_wish(2_000)
    lease = await funded.books.lease(wish)
    assert lease == Lease(wish.lease_id, ACCOUNT, KEY, 2_000, NOON, wish.expires_at, balance=10_000, available=8_000)
    assert await figures(funded) == (10_000, 2_000)


async def test_nobody_else_can_spend_what_is_leased(funded: Storage) -> None:
    await take(funded, 2_000)
    with pytest.raises(InsufficientCredit):
        await funded.books.place(hold_request(8_001))
    assert isinstance(await funded.books.place(hold_request(8_000)), Hold)


async def test_a_repeated_lease_is_the_same_and_holds_nothing_more(funded: Storage) -> None:
    wish = lease_wish(2_000)
    assert await funded.books.lease(wish) == await funded.books.lease(wish)
    assert await figures(funded) == (10_000, 2_000)


async def test_the_id_of_another_keys_lease_is_refused(funded: Storage) -> None:
    await take(funded, lease_id="lease_a")
    with pytest.raises(ValueError, match="another"):
        await funded.books.lease(lease_wish(lease_id="lease_a", key_id="key_2"))


async def test_a_lease_takes_at_most_half_of_what_is_free(funded: Storage) -> None:
    assert (await take(funded, 100_000)).amount == 5_000
    assert (await take(funded, 100_000)).amount == 2_500


async def test_processes_share_what_is_free(funded: Storage) -> None:
    await take(funded, 100, instance="there")
    await take(funded, 100, instance="elsewhere")
    assert (await take(funded, 100_000, instance="here")).amount == 9_800 // 2 // 3
    assert (await take(funded, 100_000, instance="there")).amount == (9_800 - 1_633) // 2 // 3


async def test_a_share_that_is_too_little_is_no_lease(funded: Storage) -> None:
    assert await funded.books.lease(lease_wish(9_000, least=5_001)) is None
    assert await figures(funded) == (10_000, 0)


async def test_an_empty_wallet_leases_nothing(store: Storage) -> None:
    await store.ledger.open_wallet(ACCOUNT)
    assert await store.books.lease(lease_wish(1, least=0)) is None


async def test_there_is_no_lease_without_a_wallet(store: Storage) -> None:
    with pytest.raises(NotFound):
        await store.books.lease(lease_wish())


@pytest.mark.parametrize("period", ["day", "month", "total"])
async def test_a_lease_takes_its_share_of_every_cap(funded: Storage, period: str) -> None:
    await cap_key(funded, **{period: 1_000})
    assert (await take(funded, 5_000)).amount == 500
    assert (await take(funded, 5_000)).amount == 250
    assert await figures(funded) == (10_000, 750)


def limit(allowed: int, kind: HolderKind, **changes: Any) -> Limit:
    names = {
        HolderKind.ACCOUNT: ACCOUNT,
        HolderKind.ORGANIZATION: ACCOUNT,
        HolderKind.TEAM: "team_1",
        HolderKind.PROJECT: "web",
        HolderKind.KEY: KEY,
    }
    return replace(Limit(Holder(kind, names[kind]), Period.DAY, Unit.MONEY, allowed), **changes)


@pytest.fixture
async def keyed(funded: Storage) -> Storage:
    """The funded store with a key of the project `web` of a team."""
    await funded.keys.create(replace(key(Caps()), project_id="web", team_id="team_1"))
    return funded


@pytest.mark.parametrize("kind", HolderKind)
async def test_a_lease_takes_its_share_of_every_limit_on_money(keyed: Storage, kind: HolderKind) -> None:
    await keyed.limits.put(ACCOUNT, limit(1_000, kind), NOON)
    lease = await take(keyed, 5_000)
    assert lease.amount == 500
    await keyed.books.ship([resolved(hold_request(400), lease.lease_id, 300)])
    [standing] = await keyed.limits.standings(ACCOUNT, NOON)
    assert (standing.spent, standing.held) == (300, 200)
    assert await figures(keyed) == (9_700, 200)
    await keyed.books.give_back(lease.lease_id, 200)
    [standing] = await keyed.limits.standings(ACCOUNT, NOON)
    assert (standing.spent, standing.held) == (300, 0)
    assert await figures(keyed) == (9_700, 0)


@pytest.mark.parametrize("narrow", [{"unit": Unit.TOKENS}, {"model": "openai/gpt-5"}])
async def test_there_is_no_lease_under_a_limit_it_cannot_honour(keyed: Storage, narrow: dict[str, Any]) -> None:
    await keyed.limits.put(ACCOUNT, limit(1_000, HolderKind.ACCOUNT, **narrow), NOON)
    assert await keyed.books.lease(lease_wish(100)) is None
    assert await figures(keyed) == (10_000, 0)


@pytest.mark.parametrize("model", ["", "openai/gpt-5", "openai/o4"])
@pytest.mark.parametrize("unit", Unit)
async def test_a_limit_set_while_leases_are_out_counts_them(keyed: Storage, unit: Unit, model: str) -> None:
    lease = await take(keyed, 1_000)
    await keyed.limits.put(ACCOUNT, limit(9_000, HolderKind.ACCOUNT, unit=unit, model=model), NOON)
    assert await figures(keyed) == (10_000, 1_000)
    batch = [resolved(hold_request(tokens=100), lease.lease_id, price) for price in (600, 700)]
    await keyed.books.ship(batch)
    assert await figures(keyed) == (8_700, 0)
    [standing] = await keyed.limits.standings(ACCOUNT, NOON)
    spent = 1_300 if unit is Unit.MONEY else 200
    assert (standing.spent, standing.held) == (0 if model == "openai/o4" else spent, 0)


async def test_what_is_given_back_is_free_again_in_wallet_and_caps(funded: Storage) -> None:
    await cap_key(funded, total=2_000)
    lease = await take(funded, 1_000)
    await funded.books.give_back(lease.lease_id, 400)
    assert await figures(funded) == (10_000, 600)
    await funded.books.give_back(lease.lease_id, 1_000)
    assert await figures(funded) == (10_000, 0)
    assert isinstance(await funded.books.place(hold_request(2_000)), Hold)


async def test_giving_back_counts_from_the_beginning_and_may_be_repeated(funded: Storage) -> None:
    lease = await take(funded, 1_000)
    for returned in (400, 400, 300, 400, 700):
        await funded.books.give_back(lease.lease_id, returned)
    assert await figures(funded) == (10_000, 300)


async def test_no_more_is_taken_back_than_is_left(funded: Storage) -> None:
    lease = await take(funded, 1_000)
    await funded.books.ship([resolved(hold_request(1_000), lease.lease_id, 600)])
    await funded.books.give_back(lease.lease_id, 1_000)
    assert await figures(funded) == (9_400, 0)
    await funded.books.give_back("lease_unknown", 5)


async def test_what_is_charged_later_stays_held_after_giving_back_the_rest(funded: Storage) -> None:
    lease = await take(funded, 1_000)
    await funded.books.give_back(lease.lease_id, 400)
    assert await figures(funded) == (10_000, 600)
    await funded.books.ship([resolved(hold_request(1_000), lease.lease_id, 600)])
    assert await figures(funded) == (9_400, 0)


async def test_a_recall_asks_other_processes_and_giving_back_answers_it(funded: Storage) -> None:
    lease = await take(funded, instance="there")
    await take(funded, instance="here")
    assert await funded.books.recalled("there") == []
    assert await funded.books.recall(ACCOUNT, "here") == 1
    assert await funded.books.recalled("there") == [lease.lease_id]
    assert await funded.books.recalled("here") == []
    await funded.books.give_back(lease.lease_id, 0)
    assert await funded.books.recalled("there") == []


async def test_a_recall_for_one_key_asks_for_its_leases_only(funded: Storage) -> None:
    lease = await take(funded, instance="there")
    assert await funded.books.recall(ACCOUNT, "here", key_id="another") == 0
    assert await funded.books.recalled("there") == []
    assert await funded.books.recall(ACCOUNT, "here", key_id=lease.key_id) == 1
    assert await funded.books.recalled("there") == [lease.lease_id]


async def test_a_lease_given_back_whole_is_not_recalled(funded: Storage) -> None:
    lease = await take(funded, instance="there")
    await funded.books.recall(ACCOUNT, "here")
    await funded.books.give_back(lease.lease_id, lease.amount)
    assert await funded.books.recalled("there") == []
    assert await funded.books.recall(ACCOUNT, "here") == 0


async def test_the_lease_of_a_silent_process_comes_back(funded: Storage, clock: StillClock) -> None:
    lease = await take(funded, 1_000)
    await funded.books.ship([resolved(hold_request(1_000), lease.lease_id, 100)])
    assert await funded.books.expire_leases(lease.expires_at) == 0
    clock.forward(timedelta(minutes=16))
    assert await funded.books.expire_leases(clock.now()) == 1
    assert await funded.books.expire_leases(clock.now()) == 0
    assert await figures(funded) == (9_900, 0)


async def test_more_leases_than_one_turn_of_the_sweeper_come_back(funded: Storage) -> None:
    for _ in range(45):
        await take(funded, 10)
    later = NOON + timedelta(minutes=16)
    swept = await asyncio.gather(*[funded.books.expire_leases(later) for _ in range(2)])
    assert sum(swept) == 45
    assert await figures(funded) == (10_000, 0)


async def test_a_living_process_keeps_its_leases(funded: Storage, clock: StillClock) -> None:
    mine = await take(funded, instance="here")
    await take(funded, instance="there")
    assert await funded.books.extend("here", NOON + timedelta(minutes=30)) == {mine.lease_id}
    assert await funded.books.extend("here", NOON + timedelta(minutes=5)) == {mine.lease_id}
    clock.forward(timedelta(minutes=20))
    assert await funded.books.expire_leases(clock.now()) == 1
    assert not await funded.books.extend("there", NOON + timedelta(minutes=30))
    assert (await funded.books.wallet(ACCOUNT)).held == 2_000


async def test_leases_taken_at_once_never_exceed_the_wallet(funded: Storage) -> None:
    taken = await asyncio.gather(*[funded.books.lease(lease_wish(1_500)) for _ in range(40)])
    assert sum(lease.amount for lease in taken if lease) == (await funded.books.wallet(ACCOUNT)).held <= 10_000
    assert (await figures(funded))[0] == 10_000


async def test_a_hold_may_be_placed_again_after_an_unknown_end(funded: Storage) -> None:
    asked = hold_request(9_000)
    assert await funded.books.place(asked) == await funded.books.place(asked)
    assert await figures(funded) == (10_000, 9_000)


async def test_all_leases_of_a_dead_process_come_back_and_no_others(funded: Storage) -> None:
    for _ in range(25):
        await take(funded, 10, instance="dead")
    await take(funded, 100, instance="alive")
    assert await funded.books.end_leases("dead") == 25
    assert await funded.books.end_leases("dead") == 0
    assert await figures(funded) == (10_000, 100)
