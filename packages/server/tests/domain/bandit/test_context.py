"""A task as the router sees it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.context import ANYTHING, Context
from monkey_coder_server.domain.bandit.text import BUCKETS, COUNTS, READ, read_text


def test_a_task_belongs_to_all_work_and_to_ever_finer_kinds() -> None:
    context = Context.of("codegen", "python", "leetcode")
    assert context.nodes == ((), ("codegen",), ("codegen", "python"), ("codegen", "python", "leetcode"))
    assert ANYTHING.nodes == ((),)


def test_recency_counts_half_years_and_is_neutral_where_no_date_is_known() -> None:
    assert Context.of("codegen").recency == 0.0
    assert Context.of("codegen", day=date(2025, 1, 1)).recency == pytest.approx(366 / 182.5)
    assert Context.of("codegen", day=date(2023, 1, 1)).recency == pytest.approx(-2.0)


@pytest.mark.parametrize("prompt", [None, ""])
def test_without_a_prompt_there_is_no_text(prompt: str | None) -> None:
    assert Context.of("codegen", prompt=prompt).text is None


def test_words_and_pairs_are_hashed_whatever_stands_between_them() -> None:
    plain, noisy = read_text("sort the list"), read_text("  SORT, the (list)")
    assert plain.buckets == noisy.buckets
    assert len(plain.buckets) == 5
    assert read_text("list the sort").buckets != plain.buckets


def test_the_same_words_fall_into_the_same_buckets_in_every_process() -> None:
    assert sorted(read_text("fix the bug").buckets) == [1119, 1888, 3558, 5071, 7956]


def test_counts_are_of_the_text_that_is_read() -> None:
    size, squared, distinct, length, numbers, lines, sentences, commas, percent, dollar, sums = read_text(
        "It is 5 % of $20, or 1?\nNo."
    ).counts
    assert squared == pytest.approx(size * size)
    assert distinct == pytest.approx(15 / 9)
    assert length == pytest.approx(27 / 9)
    assert [round(2.718281828**each - 1) for each in (size, numbers, lines, sentences, commas)] == [27, 3, 1, 2, 1]
    assert (percent, dollar, sums) == (1.0, 1.0, 0.0)
    assert read_text("a = b").counts[-1] == 1.0


@given(st.text(max_size=300))
def test_any_text_can_be_read_and_what_follows_the_beginning_does_not_count(words: str) -> None:
    text = read_text(words)
    assert len(text.counts) == COUNTS
    assert all(0 <= bucket < BUCKETS for bucket in text.buckets)
    long = (words + " word" * READ)[:READ]
    assert read_text(long + "more") == read_text(long)


def test_half_a_surrogate_pair_is_no_reason_to_fail() -> None:
    assert read_text("a \ud83d b").buckets
