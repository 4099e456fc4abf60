"""Several keys of one provider are balanced; a refused one rests."""

from collections import Counter

from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.features.inference.keyring import KeyRing


def refusal(kind: FailureKind, retry_after: float | None = None) -> ProviderFailure:
    return ProviderFailure("openai", kind, "no", retry_after=retry_after)


def test_keys_are_taken_in_turn() -> None:
    ring = KeyRing(["a", "b", "c"])
    taken = Counter(key for _ in range(30) if (found := ring.take("m", 0.0)) for key in [found[1]])
    assert taken == {"a": 10, "b": 10, "c": 10}


def test_a_rate_limited_key_rests_as_long_as_the_provider_says_for_that_model_only() -> None:
    ring = KeyRing(["a"])
    ring.refused(0, "m", refusal(FailureKind.RATE_LIMIT, 7.0), 0.0)
    assert ring.take("m", 6.9) is None
    assert ring.wait("m", 5.0) == 2.0
    assert ring.take("other", 0.0) == (0, "a")
    assert ring.take("m", 7.0) == (0, "a")


def test_a_refused_key_rests_for_every_model_while_the_others_work() -> None:
    ring = KeyRing(["a", "b"])
    ring.refused(0, "m", refusal(FailureKind.AUTHENTICATION), 0.0)
    assert {ring.take("other", 1.0) for _ in range(4)} == {(1, "b")}


def test_an_absurd_retry_after_is_bounded() -> None:
    ring = KeyRing(["a"], longest=60.0)
    ring.refused(0, "m", refusal(FailureKind.RATE_LIMIT, 86_400.0), 0.0)
    assert ring.wait("m", 0.0) == 60.0


def test_the_ring_says_why_every_key_is_refused_and_nothing_while_one_only_waits() -> None:
    ring = KeyRing(["a", "b"])
    ring.refused(0, "m", refusal(FailureKind.AUTHENTICATION), 0.0)
    ring.refused(1, "m", refusal(FailureKind.RATE_LIMIT, 5.0), 0.0)
    assert ring.refusal(1.0) is None
    ring.refused(1, "m", refusal(FailureKind.QUOTA), 0.0)
    assert ring.refusal(1.0) is FailureKind.QUOTA
    assert ring.refusal(61.0) is None
