"""A part of a limit: counted in any 60 seconds, shrunk by what is not used only, equal after a while without a bank."""

import random
from collections import deque

import pytest

from monkey_coder_server.domain.quota import (
    CELL,
    LAPSE,
    LONGEST_REQUEST,
    MARGIN,
    STEADY_SECONDS,
    WINDOW,
    Contact,
    Part,
    contact,
    first_share,
    fixed_share,
    shares_equally,
)
from monkey_coder_server.domain.rates import Measure

NOW = 1000.0


def part(held: int = 10, allowed: int = 10, measure: Measure = Measure.REQUESTS) -> Part:
    return Part("subject", measure, allowed, held)


def test_no_sixty_seconds_hold_more_than_the_part_and_nearly_all_of_it_is_usable() -> None:
    chance, now, one = random.Random(3), NOW, part(100, 100)
    taken: deque[float] = deque()
    served = 0
    while now < NOW + 600:
        now += chance.expovariate(20.0)
        while taken and taken[0] <= now - WINDOW:
            taken.popleft()
        if one.free(now) >= 1:
            one.take(1, now)
            taken.append(now)
            served += 1
        assert len(taken) <= 100
    assert served >= 0.98 * 100 * 600 / (WINDOW + CELL)


def test_tokens_that_were_not_used_are_free_again_and_forgotten_ones_stay_forgotten() -> None:
    one = part(10, 10, Measure.TOKENS)
    cell = one.take(8, NOW)
    assert one.free(NOW) == 2
    one.give_back(5, cell)
    assert one.free(NOW) == 7
    assert one.free(NOW + WINDOW + CELL) == 10
    one.give_back(3, cell)
    assert one.free(NOW + WINDOW + CELL) == 10
    later = one.take(1, NOW + WINDOW + CELL)
    one.give_back(3, cell)
    assert one.used == 1
    one.give_back(1, later)
    assert one.used == 0


def test_places_are_taken_until_they_are_given_back() -> None:
    one = part(2, 2, Measure.CONCURRENCY)
    assert one.take(1, NOW) is None
    assert one.free(NOW + 10_000) == 1
    assert (one.recent(NOW), one.reset(NOW), one.wait(2, NOW)) == (1, 0.0, 1.0)
    one.give_back(1, None)
    assert one.free(NOW) == 2


def test_places_in_use_at_once_a_moment_ago_are_still_needed() -> None:
    one = part(10, 40, Measure.CONCURRENCY)
    one.take(7, NOW)
    one.take(3, NOW + 1)
    one.give_back(9, None)
    one.take(1, NOW + 2)
    one.yield_up(NOW + 1 + STEADY_SECONDS, 4)
    assert one.held == 10
    one.take(1, NOW + 2 + STEADY_SECONDS)
    assert one.recent(NOW + 2 + STEADY_SECONDS) == 3
    one.give_back(2, None)
    one.yield_up(NOW + 3 + STEADY_SECONDS, 4)
    assert one.held == 4
    one.yield_up(NOW + 3 + 2 * STEADY_SECONDS, 4)
    assert one.held == 2


def test_it_says_when_so_much_is_free_again() -> None:
    one = part()
    one.take(4, NOW)
    one.take(6, NOW + 10)
    assert one.wait(1, NOW + 20) == pytest.approx(WINDOW + CELL - 20)
    assert one.wait(5, NOW + 20) == pytest.approx(WINDOW + CELL - 10)
    assert one.reset(NOW + 20) == pytest.approx(WINDOW + CELL - 10)
    assert (part(0, 600).wait(1, NOW), part(0, 1).wait(1, NOW), part(0, 0).wait(1, NOW)) == (1.0, WINDOW, WINDOW)


def test_more_is_wished_for_the_faster_it_is_used() -> None:
    one = part(50, 1000)
    one.wish(1, NOW)
    assert one.want == 1
    one.take(20, NOW - 10)
    one.take(30, NOW)
    assert one.recent(NOW) == 30
    one.wish(1, NOW)
    assert one.want == 50 + 1 + 30
    one.wish(2000, NOW)
    assert one.want == 1000


def test_what_others_are_short_of_is_given_up_and_not_used_again_beyond_an_equal_share() -> None:
    one = part(100, 100)
    one.take(70, NOW)
    one.yield_up(NOW + 30, 2)
    assert one.held == 70
    one.yield_up(NOW + WINDOW, 2)
    assert (one.free(NOW + WINDOW + CELL), one.held) == (50, 50)
    idle = part(100, 100)
    idle.yield_up(NOW, 4)
    assert idle.held == 0
    busy = part(100, 100)
    busy.take(5, NOW)
    assert not busy.contested(NOW)
    busy.yield_up(NOW, 4)
    assert busy.held == 10
    assert (busy.contested(NOW + WINDOW - 1), busy.contested(NOW + WINDOW)) == (True, False)


def test_a_lower_limit_leaves_everybody_as_large_a_part_of_it() -> None:
    one = part(50, 100)
    one.take(10, NOW)
    one.revise(60)
    assert (one.held, one.allowed) == (30, 60)
    one.revise(120)
    assert (one.held, one.allowed) == (30, 120)
    one.revise(6)
    assert one.free(NOW) <= 0


def test_without_the_bank_parts_become_equal_first_by_shrinking() -> None:
    large, small = part(80, 100), part(20, 100)
    large.take(60, NOW)
    for each in (large, small):
        each.turn(Contact.SHRUNK, 2, NOW)
    assert (large.free(NOW), small.free(NOW)) == (0, 20)
    assert large.free(NOW + WINDOW + CELL) == 50
    for each in (large, small):
        each.turn(Contact.EQUAL, 2, NOW + 100)
    assert (large.free(NOW + 100), small.free(NOW + 100)) == (50, 50)
    small.turn(Contact.HELD, 2, NOW + 101)
    small.held = 70
    assert small.free(NOW + 101) == 70
    place = part(2, 10, Measure.CONCURRENCY)
    place.turn(Contact.EQUAL, 2, NOW)
    assert place.held == 2
    place.turn(Contact.SETTLED, 2, NOW)
    assert place.held == 5


def test_how_long_the_bank_is_away_says_what_may_be_taken_for_granted() -> None:
    ends = (LAPSE, LAPSE + WINDOW + MARGIN, LAPSE + LONGEST_REQUEST + MARGIN)
    assert [contact(end) for end in ends] == [Contact.HELD, Contact.SHRUNK, Contact.EQUAL]
    assert contact(ends[-1] + 1) is Contact.SETTLED
    assert shares_equally(Contact.EQUAL, Measure.TOKENS)
    assert not shares_equally(Contact.EQUAL, Measure.CONCURRENCY)


def test_shares_come_to_no_more_than_the_limit() -> None:
    for allowed in (0, 1, 5, 100, 601):
        for places in (1, 3, 4, 7):
            assert sum(fixed_share(allowed, place, places) for place in range(places)) == allowed
            assert places * first_share(allowed, places) <= allowed
    assert (first_share(160, 0), first_share(3, 0)) == (10, 1)


def test_what_nobody_asks_for_is_idle() -> None:
    one = part()
    one.asked_at = NOW
    assert not one.idle(NOW + 5, 10)
    assert one.idle(NOW + 11, 10)
    one.take(1, NOW + 12)
    assert not one.idle(NOW + 30, 10)
