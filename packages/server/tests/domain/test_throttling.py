from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.throttling import (
    NEVER_TRIED,
    SECOND,
    Allowance,
    Standing,
    count,
    given_back,
    mailbox_of,
    not_ahead,
    place_of,
    tried,
    wait,
)

HOUR = 3_600 * SECOND
LOGIN = Allowance(free=3, forgotten_after=HOUR, first=2 * SECOND, longest=900 * SECOND)
NOON = 1_700_000_000 * SECOND


def test_the_first_tries_are_free_and_then_each_waits_twice_as_long() -> None:
    standing, waits, now = NEVER_TRIED, [], NOON
    for _ in range(14):
        pause = wait(standing, LOGIN, now)
        waits.append(pause // SECOND)
        now += pause
        assert wait(standing, LOGIN, now) == 0
        standing = tried(standing, LOGIN, now)
    assert waits == [0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_tries_are_forgotten_one_by_one() -> None:
    standing = NEVER_TRIED
    for _ in range(3):
        standing = tried(standing, LOGIN, NOON)
    assert [count(standing, LOGIN, NOON + hours * HOUR) for hours in (0, 1, 2, 3, 9)] == [3, 2, 1, 0, 0]
    assert count(standing, LOGIN, NOON + 1) == 3
    assert wait(standing, LOGIN, NOON + 1) == 2 * SECOND - 1
    assert wait(standing, LOGIN, NOON + HOUR) == 0


def test_a_try_that_was_none_is_given_back() -> None:
    standing = tried(tried(NEVER_TRIED, LOGIN, NOON), LOGIN, NOON)
    assert count(given_back(standing, LOGIN), LOGIN, NOON) == 1
    assert count(given_back(NEVER_TRIED, LOGIN), LOGIN, NOON) == 0


@given(st.lists(st.integers(0, 2 * HOUR), max_size=300))
def test_nobody_waits_longer_than_the_longest_and_guessing_stays_slow(pauses: list[int]) -> None:
    standing, now, counted = NEVER_TRIED, NOON, 0
    for pause in pauses:
        now += pause
        waiting = wait(standing, LOGIN, now)
        assert 0 <= waiting <= LOGIN.longest
        if not waiting:
            standing, counted = tried(standing, LOGIN, now), counted + 1
    assert counted <= LOGIN.free + 12 + (now - NOON) // LOGIN.longest + (now - NOON) // LOGIN.forgotten_after


@given(st.lists(st.integers(-30 * 24 * HOUR, 2 * HOUR), max_size=100))
def test_nobody_waits_longer_although_the_clock_is_set_back(jumps: list[int]) -> None:
    standing, now = NEVER_TRIED, NOON
    for jump in jumps:
        now += jump
        standing = not_ahead(standing, now)
        waiting = wait(standing, LOGIN, now)
        assert waiting <= LOGIN.longest
        now += waiting
        assert wait(standing, LOGIN, now) == 0
        standing = tried(standing, LOGIN, now)


def test_a_clock_that_is_set_back_makes_no_try_forgotten() -> None:
    standing = NEVER_TRIED
    for _ in range(4):
        standing = tried(standing, LOGIN, NOON)
    before = not_ahead(standing, NOON - 9 * HOUR)
    assert count(before, LOGIN, NOON - 9 * HOUR) == 4
    assert not_ahead(before, NOON) == before


def test_a_household_is_an_address_of_ipv4_or_a_network_of_ipv6() -> None:
    assert place_of("203.0.113.9") == "203.0.113.9"
    assert place_of("::ffff:203.0.113.9") == "203.0.113.9"
    assert place_of("2001:db8:1:2:3:4:5:6") == place_of("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert place_of("testclient") == "testclient"


def test_all_spellings_of_a_mailbox_are_one() -> None:
    spellings = ("ada.lovelace@example.org", " AdaLovelace+shop@Example.org", "a.d.a.lovelace+x+y@example.org")
    assert {mailbox_of(spelling) for spelling in spellings} == {"adalovelace@example.org"}
    assert mailbox_of("ada@one.example.org") != mailbox_of("ada@example.org")


def test_an_old_standing_is_clear() -> None:
    assert wait(Standing(NOON, NOON), LOGIN, NOON) == 0
