"""The lists hold what their readers look for: lower case, phrases of bounded length, nothing that leads on."""

import pytest

from monkey_coder_server.domain import interchangeable_words as words

PHRASES = (*words.GREETINGS, *words.ASKING, *words.THANKS, *words.MAKE, *words.SOME)
MEANINGFUL = words.JOINING - words.ARTICLES - {"to", "name", "names", "is", "are"} | {"no", "never", "all", "first"}


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_is_lower_case_and_no_longer_than_is_looked_at(phrase: words.Phrase) -> None:
    assert all(word == word.lower() for word in phrase)
    assert 0 < len(phrase) <= words.MOST_WORDS


@pytest.mark.parametrize("phrases", [words.GREETINGS, words.ASKING, words.THANKS, words.MAKE])
def test_a_longer_phrase_is_found_before_the_one_it_begins_with(phrases: tuple[words.Phrase, ...]) -> None:
    assert list(phrases) == sorted(phrases, key=len, reverse=True)


def test_words_with_one_meaning_lead_to_words_that_lead_nowhere() -> None:
    for word, same in words.SAME.items():
        assert word == word.lower()
        assert not [each for each in same.split() if each in words.SAME]


def test_what_is_left_out_anywhere_is_no_word_that_says_much() -> None:
    assert not words.EMPTY & MEANINGFUL
    assert not (set(words.SAME) | words.WORK_OUT | words.LINKS | words.MODAL) & MEANINGFUL
