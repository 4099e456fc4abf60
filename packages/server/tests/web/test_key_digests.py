import pytest

from monkey_coder_server.domain import api_keys
from monkey_coder_server.domain.errors import InvalidApiKey
from monkey_coder_server.web import key_digests
from monkey_coder_server.web.key_digests import KeyDigests

PEPPERS = api_keys.Peppers((b"p" * 32, b"q" * 32))


def key(number: int) -> api_keys.ApiKey:
    return api_keys.compose("live", number.to_bytes(32, "big"))


class Counting(api_keys.Peppers):
    """Counts how often digests are reckoned."""

    reckoned = 0

    def digests(self, key: api_keys.ApiKey) -> tuple[bytes, ...]:
        type(self).reckoned += 1
        return super().digests(key)


def test_a_key_that_comes_again_has_the_same_digests_and_they_are_reckoned_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Counting, "reckoned", 0)
    digests = KeyDigests(Counting(PEPPERS.secrets))
    one, other = key(1), key(2)
    for each in (one, one, other, one, other):
        assert digests.of(each.text) == PEPPERS.digests(each)
    assert Counting.reckoned == 2


@pytest.mark.parametrize("text", ["", "mk-live-short", key(1).text[:-1] + "0", "mk-live-" + "a" * 500, "mk-live-ü" * 5])
def test_what_cannot_be_a_key_is_refused_each_time(text: str) -> None:
    digests = KeyDigests(PEPPERS)
    for _ in range(2):
        with pytest.raises(InvalidApiKey):
            digests.of(text)


def test_no_more_is_remembered_than_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_digests, "REMEMBERED", 8)
    digests = KeyDigests(PEPPERS)
    for number in range(100):
        digests.of(key(number).text)
        assert len(digests._known) <= 8
    assert digests.of(key(0).text) == PEPPERS.digests(key(0))


def test_no_key_stays_in_memory() -> None:
    digests = KeyDigests(PEPPERS)
    digests.of(key(1).text)
    assert key(1).text not in repr(vars(digests))
    assert not any(key(1).text.encode() in name for name in digests._known)
