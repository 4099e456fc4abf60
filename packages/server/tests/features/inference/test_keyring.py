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


def test_a_rate_limit_without_a_word_of_how_long_rests_longer_each_time_until_an_answer_comes() -> None:
    ring, now = KeyRing(["a"]), 0.0
    rests = []
    for _ in range(8):
        ring.refused(0, "m", refusal(FailureKind.RATE_LIMIT), now)
        rests.append(ring.wait("m", now))
        now += rests[-1]
    assert rests == [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 120.0, 120.0]
    ring.answered(0, "m", 50.0, now, began=now)
    ring.refused(0, "m", refusal(FailureKind.RATE_LIMIT), now)
    assert ring.wait("m", now) == 2.0


def test_calls_refused_together_count_as_one_refusal() -> None:
    ring = KeyRing(["a"])
    for _ in range(30):
        ring.refused(0, "m", refusal(FailureKind.RATE_LIMIT), 1.0)
    assert ring.wait("m", 1.0) == 2.0


def taken(ring: KeyRing, calls: int, now: float = 0.0) -> set[int]:
    return {found[0] for _ in range(calls) if (found := ring.take("m", now))}


def test_a_key_with_nothing_left_is_taken_only_when_there_is_no_other() -> None:
    ring = KeyRing(["a", "b"])
    ring.spent(0, "m", 10.0, 0.0)
    assert taken(ring, 4) == {1}
    ring.spent(1, "m", 10.0, 0.0)
    assert taken(ring, 8) == {0, 1}
    assert taken(ring, 4, now=10.0) == {0, 1}


def test_a_key_the_provider_fails_again_and_again_is_probed_by_one_call_at_a_time() -> None:
    ring = KeyRing(["a", "b"])
    for _ in range(3):
        ring.failed(0, "m", 0.0, began=0.0)
    assert taken(ring, 4, now=1.0) == {1}
    assert [found[0] for _ in range(3) if (found := ring.take("m", 16.0))].count(0) == 1
    ring.answered(0, "m", 5.0, 17.0, began=16.0)
    ring.left(0)
    assert 0 in taken(ring, 4, now=17.0)


def test_the_better_of_the_next_two_is_the_one_with_less_to_wait_for() -> None:
    ring = KeyRing(["slow", "quick"])
    ring.answered(0, "m", 900.0, 0.0, began=0.0)
    ring.answered(1, "m", 100.0, 0.0, began=0.0)
    counts = Counter(found[0] for _ in range(20) if (found := ring.take("m", 0.0)))
    assert counts[1] > 3 * counts[0] > 0


def test_a_call_that_is_over_makes_its_key_less_busy() -> None:
    ring = KeyRing(["a", "b"])
    assert [found[0] for _ in range(2) if (found := ring.take("m", 0.0))] == [0, 1]
    ring.left(1)
    found = ring.take("m", 0.0)
    assert found is not None
    assert found[0] == 1


def test_another_key_than_the_one_in_use_is_taken_or_none() -> None:
    ring = KeyRing(["a", "b"])
    assert ring.take("m", 0.0, but=0) == (1, "b")
    assert KeyRing(["a"]).take("m", 0.0, but=0) is None


def of_session(ring: KeyRing, session: str | None, now: float = 0.0) -> int:
    """The key of one call, which is over at once."""
    found = ring.take("m", now, session=lambda: session)
    assert found is not None
    ring.left(found[0])
    return found[0]


def test_the_turns_of_a_conversation_go_to_one_key_and_conversations_to_all() -> None:
    ring, other_process = KeyRing(["a", "b", "c"]), KeyRing(["c", "a", "b"])
    keys = {session: of_session(ring, session) for session in map(str, range(300))}
    assert all(of_session(ring, session) == key for session, key in keys.items())
    assert all("cab"[of_session(other_process, session)] == "abc"[key] for session, key in keys.items())
    assert all(70 < count < 130 for count in Counter(keys.values()).values())


def test_a_key_that_goes_takes_no_conversation_from_the_others() -> None:
    three, two = KeyRing(["a", "b", "c"]), KeyRing(["a", "b"])
    sessions = [str(number) for number in range(100)]
    assert all(of_session(two, each) == of_session(three, each) for each in sessions if of_session(three, each) != 2)


def test_a_conversation_goes_elsewhere_while_its_key_rests_is_failed_or_spent_and_comes_back() -> None:
    ring = KeyRing(["a", "b"])
    own = of_session(ring, "s")
    ring.refused(own, "m", refusal(FailureKind.RATE_LIMIT, 5.0), 0.0)
    assert of_session(ring, "s", 1.0) == 1 - own
    assert of_session(ring, "s", 5.0) == own
    ring.spent(own, "m", 5.0, 10.0)
    assert of_session(ring, "s", 11.0) == 1 - own
    for _ in range(3):
        ring.failed(own, "m", 20.0, began=20.0)
    assert of_session(ring, "s", 21.0) == 1 - own


def test_many_calls_of_one_conversation_at_a_time_are_shared_among_keys() -> None:
    ring = KeyRing(["a", "b", "c", "d"])
    counts = Counter(found[0] for _ in range(40) if (found := ring.take("m", 0.0, session=lambda: "s")))
    assert max(counts.values()) <= 14
    assert sum(counts.values()) == 40


def test_a_few_calls_at_a_time_stay_together() -> None:
    ring = KeyRing(["a", "b", "c", "d"])
    counts = Counter(found[0] for _ in range(4) if (found := ring.take("m", 0.0, session=lambda: "s")))
    assert list(counts.values()) == [4]


def test_calls_without_a_conversation_are_balanced_as_before() -> None:
    ring = KeyRing(["a", "b", "c"])
    assert [of_session(ring, None) for _ in range(6)] == [0, 1, 2, 0, 1, 2]


def test_beside_a_late_call_a_conversation_has_its_next_key() -> None:
    ring = KeyRing(["a", "b", "c"])
    own = of_session(ring, "s")
    beside = [ring.take("m", 0.0, but=own, session=lambda: "s") for _ in range(3)]
    assert len({found[0] for found in beside if found is not None}) == 1
    assert own not in {found[0] for found in beside if found is not None}
