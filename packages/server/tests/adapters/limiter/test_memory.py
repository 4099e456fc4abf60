"""The in-process token bucket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.adapters.limiter.memory import MemoryLimiter


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


async def test_a_burst_of_the_limit_passes_and_the_next_is_told_when_to_come_back() -> None:
    limiter = MemoryLimiter(Hand())
    taken = [await limiter.take("key_1", limit=3, period=60.0) for _ in range(4)]
    assert [verdict.allowed for verdict in taken] == [True, True, True, False]
    assert [verdict.remaining for verdict in taken] == [2, 1, 0, 0]
    assert taken[3].retry_after == pytest.approx(20.0)


async def test_waiting_as_long_as_told_is_enough() -> None:
    hand = Hand()
    limiter = MemoryLimiter(hand)
    for _ in range(3):
        await limiter.take("key_1", limit=3, period=60.0)
    refused = await limiter.take("key_1", limit=3, period=60.0)
    hand.seconds += refused.retry_after - 0.01
    assert not (await limiter.take("key_1", limit=3, period=60.0)).allowed
    hand.seconds += 0.02
    assert (await limiter.take("key_1", limit=3, period=60.0)).allowed


async def test_subjects_do_not_share_a_bucket() -> None:
    limiter = MemoryLimiter(Hand())
    assert (await limiter.take("key_1", limit=1, period=60.0)).allowed
    assert (await limiter.take("key_2", limit=1, period=60.0)).allowed
    assert not (await limiter.take("key_1", limit=1, period=60.0)).allowed


async def test_what_costs_more_than_the_limit_never_passes_and_takes_nothing() -> None:
    limiter = MemoryLimiter(Hand())
    assert not (await limiter.take("key_1", limit=5, period=60.0, cost=6)).allowed
    assert (await limiter.take("key_1", limit=5, period=60.0, cost=5)).allowed


async def test_a_limit_of_nothing_refuses_everything() -> None:
    verdict = await MemoryLimiter(Hand()).take("key_1", limit=0, period=60.0)
    assert not verdict.allowed
    assert verdict.retry_after == 60.0


async def test_a_changed_limit_keeps_what_was_used() -> None:
    limiter = MemoryLimiter(Hand())
    for _ in range(3):
        await limiter.take("key_1", limit=3, period=60.0)
    assert (await limiter.take("key_1", limit=5, period=60.0)).remaining == 1
    assert not (await limiter.take("key_1", limit=2, period=60.0)).allowed


async def test_only_so_many_subjects_are_remembered_and_the_idlest_goes_first() -> None:
    limiter = MemoryLimiter(Hand(), most_subjects=2)
    for subject in ("idle", "busy", "busy", "new"):
        await limiter.take(subject, limit=2, period=60.0)
    assert (await limiter.take("busy", limit=2, period=60.0)).allowed is False
    assert (await limiter.take("idle", limit=2, period=60.0)).remaining == 1


@given(steps=st.lists(st.tuples(st.floats(0, 30), st.integers(1, 4)), max_size=40))
async def test_no_window_lets_through_more_than_burst_and_refill(steps: list[tuple[float, int]]) -> None:
    hand = Hand()
    limiter = MemoryLimiter(hand)
    began, passed = hand.seconds, 0
    for pause, cost in steps:
        hand.seconds += pause
        if (await limiter.take("key_1", limit=10, period=60.0, cost=cost)).allowed:
            passed += cost
        assert passed <= 10 + (hand.seconds - began) * 10 / 60 + 1e-6
