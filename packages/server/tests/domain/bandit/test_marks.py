"""A prompt's marks are few numbers, the same in every process, from which its words cannot be told."""

from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.marks import EVERY, MARKS, SIZES, WORDS, read_marks
from monkey_coder_server.domain.bandit.text import READ


def test_the_same_words_have_the_same_marks_in_whatever_order_and_case() -> None:
    assert read_marks("Fix the failing TEST", 10) == read_marks("test: failing! the fix? fix", 12)


def test_short_words_and_what_comes_after_two_thousand_characters_are_not_read() -> None:
    assert [*read_marks("if a is b", 8)] == [WORDS + 4, EVERY]
    assert read_marks("word " * (READ // 5) + "late", 8) == read_marks("word", 8)


def test_length_is_a_mark_for_each_doubling() -> None:
    sizes = [read_marks("", tokens)[0] - WORDS for tokens in (0, 1, 1_000, 1_023, 1_024, 10**9)]
    assert sizes == [0, 1, 10, 10, 11, SIZES - 1]


@given(st.text(max_size=300), st.integers(0, 10**7))
def test_marks_are_in_order_and_each_there_once(prompt: str, tokens: int) -> None:
    marks = [*read_marks(prompt, tokens)]
    assert marks == sorted(set(marks))
    assert marks[-1] == EVERY < MARKS
    assert marks[0] >= 0
