"""The shipped filter: what it holds, how often it is wrong, how large it is."""

import random
import string
from importlib.resources import files

import pytest

from monkey_coder_server.adapters import passwords
from monkey_coder_server.adapters.passwords import CommonPasswordFilter
from monkey_coder_server.domain.password_guessing import forms

COMMON = CommonPasswordFilter()


@pytest.mark.parametrize(
    "password",
    ["password", "123456789012", "qwertyuiop12", "Password2026", "L3tm31n!!", "iloveyouiloveyou", "1qaz2wsx3edc"],
)
def test_common_passwords_are_held_in_any_disguise(password: str) -> None:
    assert any(COMMON.hold(form) for form in forms(password))


@pytest.mark.parametrize(
    "password", ["several plain words together", "k7#Vq2mX9bT4wZ", "my monkey likes green bananas"]
)
def test_others_are_not(password: str) -> None:
    assert not any(COMMON.hold(form) for form in forms(password))


def test_it_is_wrong_less_than_once_in_ten_thousand() -> None:
    dice = random.Random(2026)
    texts = ("".join(dice.choices(string.ascii_letters + string.digits, k=13)) for _ in range(100_000))
    assert sum(COMMON.hold(text) for text in texts) <= 10


def test_it_is_small_and_says_where_it_comes_from() -> None:
    folder = files(passwords)
    assert len(folder.joinpath("common_passwords.bloom").read_bytes()) < 1_000_000
    page = folder.joinpath("common_passwords.md").read_text(encoding="utf-8")
    assert all(word in page for word in ("SecLists", "CC BY-SA 3.0", "Django", "BSD", "random texts"))
