import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.password_guessing import SHORTEST_WORD, easy, forms

PERSON = ("ada.lovelace@example.org", "Ada Lovelace")


@pytest.mark.parametrize(
    ("password", "form"),
    [
        ("letmein", "letmein"),
        ("LetMeIn", "letmein"),
        ("\uff2cetmein", "letmein"),
        ("letmeinletmein", "letmein"),
        ("LetMeIn2026!!", "letmein"),
        ("123letmein", "letmein"),
        ("l3tm31n", "letmein"),
        ("P@55w0rd2026", "password"),
        ("p@ssw0rdp@ssw0rd", "password"),
        ("correct horse battery", "correct horse battery"),
    ],
)
def test_a_disguised_word_is_looked_up_as_what_it_is(password: str, form: str) -> None:
    assert form in forms(password)


def test_a_word_among_many_other_characters_is_not_looked_up_alone() -> None:
    assert "letmein" not in forms("letmein 8392017562")
    assert forms("a1") == ()


@pytest.mark.parametrize(
    "password",
    [
        "aaaaaaaaaaaaaaaa",
        "abababababab",
        "abcdefghijklm",
        "9876543210987",
        "1234567890123",
        "MonkeyCoder2026!",
        "monkey-coder-monkey",
        "Lovelace-1815!!",
        "AdaLovelace1815",
        "ada.lovelace@example.org",
    ],
)
def test_what_needs_no_list_to_be_guessed_is_easy(password: str) -> None:
    assert easy(password, PERSON)


@pytest.mark.parametrize(
    "password",
    [
        "several plain words together",
        "correct horse battery staple",
        "my monkey likes green bananas",
        "a-demo-pass-phrase-only",
        "k7#Vq2mX9bT4wZ",
        "830275619438",
        "пять слов из моей головы",
    ],
)
def test_pass_phrases_and_random_characters_are_not(password: str) -> None:
    assert not easy(password, PERSON)


@given(st.text(max_size=40))
def test_any_text_has_few_forms_and_none_too_short(password: str) -> None:
    found = forms(password)
    assert len(found) <= 8
    assert all(len(form) >= SHORTEST_WORD for form in found)
    easy(password, (password,))
