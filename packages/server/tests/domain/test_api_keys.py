"""A key is long, checked by itself, and never shown."""

import re
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.api_keys import ENVIRONMENTS, KEY_PATTERN, ApiKey, Peppers, compose, digest, parse
from monkey_coder_server.domain.errors import InvalidApiKey

RANDOM = st.binary(min_size=32, max_size=32)
KEY = compose("dev", bytes(range(32)))


@given(st.sampled_from(ENVIRONMENTS), RANDOM)
@settings(max_examples=100)
def test_a_composed_key_has_the_published_form_and_is_read_back(environment: str, random_bytes: bytes) -> None:
    key = compose(environment, random_bytes)
    assert re.fullmatch(KEY_PATTERN, key.text)
    assert parse(f" {key.text}\n") == key
    assert key.environment == environment
    assert len(key.text) == len(f"mk-{environment}-") + 36


@given(RANDOM, RANDOM)
@settings(max_examples=50)
def test_different_randomness_makes_different_keys(one: bytes, other: bytes) -> None:
    assert (compose("live", one) == compose("live", other)) == (one == other)


@given(st.integers(0, len(KEY.text) - 1), st.sampled_from("0123456789ABCxyz-"))
@settings(max_examples=100)
def test_any_mistyped_letter_is_refused(place: int, letter: str) -> None:
    changed = KEY.text[:place] + letter + KEY.text[place + 1 :]
    if changed != KEY.text:
        with pytest.raises(InvalidApiKey):
            parse(changed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mk-",
        "Bearer x",
        "sk-proj-abc",
        "mk-dev-short",
        "mk-prod-" + KEY.text[7:],
        KEY.text.upper(),
        KEY.text + "A" * 60,
        KEY.text[:-1],
        KEY.text.replace("-", "_"),
        "mk-dev-" + "\u0661" * 36,
        "x" * 1_000_000,
    ],
)
def test_what_is_not_a_key_is_refused_before_any_look_up(text: str) -> None:
    with pytest.raises(InvalidApiKey) as caught:
        parse(text)
    assert caught.value.code == "invalid_api_key"
    assert len(caught.value.message) < 200


def test_a_longer_random_part_with_a_right_checksum_is_read() -> None:
    body = "mk-test-" + "a" * 40
    number, digits = zlib.crc32(body.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[digit] + digits
    assert parse(body + digits.rjust(6, "0")).environment == "test"


def test_a_key_is_never_shown_whole() -> None:
    assert KEY.text not in repr(KEY)
    assert KEY.display == f"{KEY.text[:12]}...{KEY.text[-4:]}"
    assert len(KEY.display) == 19


def test_composing_wants_a_known_environment_and_enough_randomness() -> None:
    with pytest.raises(ValueError, match="live, test or dev"):
        compose("prod", bytes(32))
    with pytest.raises(ValueError, match="32 random bytes"):
        compose("live", bytes(31))


def test_a_key_may_be_stored_under_any_pepper_and_new_ones_are_under_the_first() -> None:
    peppers = Peppers((b"new", b"old"))
    assert peppers.digests(KEY) == (digest(b"new", KEY), digest(b"old", KEY))
    assert len(set(peppers.versions)) == 2
    assert peppers.versions[1] == Peppers((b"old",)).versions[0]
    assert "new" not in repr(peppers)


def test_the_digest_hangs_on_pepper_and_key() -> None:
    assert len(digest(b"pepper", KEY)) == 32
    assert digest(b"pepper", KEY) == digest(b"pepper", ApiKey("dev", KEY.text))
    assert digest(b"pepper", KEY) != digest(b"other", KEY)
    assert digest(b"pepper", KEY) != digest(b"pepper", compose("dev", bytes(32)))
