"""Codes a person carries from a screen to a browser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain import user_codes


@given(st.binary(min_size=user_codes.RANDOM_BYTES, max_size=32))
def test_a_code_reads_back_as_itself_however_it_is_typed(random_bytes: bytes) -> None:
    code = user_codes.compose(random_bytes)
    assert len(code) == 9
    assert user_codes.read(code) == code
    assert user_codes.read(f" {code.lower().replace('-', ' ')}\t") == code
    assert user_codes.read(code.replace("-", "")) == code


def test_codes_have_no_vowels_no_digits_and_no_look_alikes() -> None:
    assert len(set(user_codes.ALPHABET)) == 20
    assert not set(user_codes.ALPHABET) & set("AEIOUY01")


@pytest.mark.parametrize(
    "typed", ["", "BCDF-GHJ", "BCDF-GHJKL", "BCDF-GHJA", "BCDF-GHJ1", "\uff22CDF-GHJK", "BCDF_GHJK", "ß" * 8]
)
def test_what_can_be_no_code_is_none(typed: str) -> None:
    assert user_codes.read(typed) is None


def test_too_little_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="16 random bytes"):
        user_codes.compose(bytes(15))
