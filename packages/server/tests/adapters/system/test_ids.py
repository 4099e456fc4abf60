"""Identifiers sort by the time of their making and never repeat."""

from concurrent.futures import ThreadPoolExecutor
from copy import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.adapters.system.ids import ALPHABET, UlidSource, encode, system_ids


def test_an_id_is_a_prefix_and_a_ulid() -> None:
    prefix, _, ulid = system_ids().new("req").partition("_")
    assert prefix == "req"
    assert len(ulid) == 26
    assert set(ulid) <= set(ALPHABET)


def test_the_time_is_in_front_as_the_specification_writes_it() -> None:
    assert encode(1_469_918_176_385 << 80).upper() == "01ARYZ6S41" + "0" * 16


def test_ids_of_one_millisecond_and_of_a_clock_that_steps_back_still_sort() -> None:
    moments = iter([5, 5, 4, 3, 6])
    source = UlidSource(lambda: next(moments))
    made = [source.new("req") for _ in range(5)]
    assert made == sorted(made)
    assert len(set(made)) == 5


def test_threads_never_make_the_same_id() -> None:
    source = UlidSource()
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: source.new("x"), range(4_000)))
    assert len(set(made)) == 4_000


def test_a_forked_process_draws_randomness_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    milliseconds = [5]
    parent = UlidSource(lambda: milliseconds[0])
    parent.new("req")
    child = copy(parent)
    milliseconds[0] = 6
    next_of_parent = parent.new("req")
    monkeypatch.setattr("os.getpid", lambda: -1)
    assert child.new("req") != next_of_parent


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1))
def test_text_sorts_as_numbers_do(left: int, right: int) -> None:
    assert (left < right) == (encode(left) < encode(right))


def test_the_clock_is_aware_and_never_steps_back() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() is not None
    assert clock.monotonic() <= clock.monotonic()


def test_ids_of_one_millisecond_count_on_through_every_digit() -> None:
    source = UlidSource(lambda: 5)
    made = [source.new("req") for _ in range(3_000)]
    numbers = [
        sum(ALPHABET.index(digit) << 5 * place for place, digit in enumerate(reversed(each[4:]))) for each in made
    ]
    assert numbers == list(range(numbers[0], numbers[0] + 3_000))
