"""What a process has in hand of one key: which lease a request is held for from, and what is told to the books."""

from datetime import timedelta

from monkey_coder_server.adapters.leasing.purse import Purse, Purses
from monkey_coder_server.domain.leases import EXPIRY_MARGIN, IDLE_SECONDS, LEASE_SECONDS, Slice
from monkey_coder_server.domain.ledger import cap_periods
from packages.server.tests.contract.booking import ACCOUNT, KEY, NOON, hold_request

DAY = cap_periods(NOON)[0]
LATER = NOON + timedelta(minutes=15)


def purse_of(*slices: Slice) -> tuple[Purses, Purse]:
    purses = Purses()
    purse = purses.of(ACCOUNT, KEY)
    for lease in slices:
        purses.put(purse, lease)
    return purses, purse


def test_the_oldest_lease_that_covers_a_request_and_lasts_is_taken_from() -> None:
    over = Slice("over", 900, DAY, NOON + EXPIRY_MARGIN)
    _, purse = purse_of(over, Slice("small", 50, DAY, LATER), Slice("large", 500, DAY, LATER))
    asked = [purse.take(hold_request(amount), NOON) for amount in (40, 40, 460, 10, 1)]
    assert asked == ["small", "large", "large", "small", None]


def test_a_retired_lease_gives_nothing_more_and_returns_what_comes_free() -> None:
    _, purse = purse_of(Slice("one", 500, DAY, LATER))
    purse.take(hold_request(100), NOON)
    purse.retire("one")
    assert purse.take(hold_request(1), NOON) is None
    assert list(purse.to_return()) == [("one", 400)]
    assert purse.end("one", 100, charged=30)
    assert list(purse.to_return()) == [("one", 470)]


def test_what_the_books_know_is_not_told_again_and_a_lease_with_nothing_left_is_let_go_of() -> None:
    purses, purse = purse_of(Slice("one", 500, DAY, LATER))
    purse.take(hold_request(100), NOON)
    purse.retire("one")
    purses.confirm(purse, "one", 400)
    assert not list(purse.to_return())
    assert purses.of_lease("one") is purse
    purse.end("one", 100, charged=30)
    purses.confirm(purse, "one", 470)
    assert (purse.slices, purses.of_lease("one")) == ({}, None)


def test_a_key_nobody_asks_with_is_forgotten_but_not_while_it_has_a_lease() -> None:
    purses, purse = purse_of(Slice("one", 500, DAY, LATER))
    purse.ask(100, 0)
    purse.done(100, charged=0, second=0)
    assert not purse.idle(IDLE_SECONDS - 1)
    assert purse.idle(IDLE_SECONDS)
    purses.tidy(LEASE_SECONDS)
    assert purses.all() == [purse]
    purse.retire("one")
    purses.confirm(purse, "one", 500)
    purses.tidy(LEASE_SECONDS)
    assert purses.all() == purses.of_account(ACCOUNT) == []
