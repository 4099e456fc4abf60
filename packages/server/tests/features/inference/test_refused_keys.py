"""Several keys refused one after the other say that the provider refuses the model, one key says nothing."""

from monkey_coder_server.features.inference.breaker import BreakerState
from monkey_coder_server.features.inference.refused_keys import KEYS, WITHIN, RefusedKeys


def rested(retry_after: float | None = None) -> RefusedKeys:
    keys = RefusedKeys(2.0, 60.0)
    began = [keys.refused(number, 0.0, 0.0, retry_after) for number in range(KEYS)]
    assert began == [False] * (KEYS - 1) + [True]
    return keys


def test_different_keys_refused_in_a_row_make_the_model_rest() -> None:
    breaker = rested().breaker
    assert breaker.state(1.9) is BreakerState.OPEN
    assert breaker.state(2.0) is BreakerState.HALF_OPEN


def test_a_single_bad_key_never_does() -> None:
    keys = RefusedKeys(2.0, 60.0)
    assert not any(keys.refused(0, float(now), float(now), 1.0) for now in range(100))
    assert keys.breaker.state(100.0) is BreakerState.CLOSED


def test_an_answer_between_begins_the_count_anew() -> None:
    keys = RefusedKeys(2.0, 60.0)
    for number in range(100):
        assert not keys.refused(number, 0.0, 0.0, None)
        if number % (KEYS - 1) == 0:
            assert not keys.answered(0.0, 0.0)


def test_refusals_far_apart_are_not_counted_together() -> None:
    keys = RefusedKeys(2.0, 60.0)
    apart = WITHIN / (KEYS - 1) + 0.1
    assert not any(keys.refused(number, number * apart, number * apart, None) for number in range(20))


def test_it_rests_as_long_as_the_provider_names_within_a_bound() -> None:
    assert rested(30.0).breaker.open_for(0.0) == 30.0
    assert rested(3_600.0).breaker.open_for(0.0) == 60.0
    assert rested(0.5).breaker.open_for(0.0) == 2.0


def test_a_longer_time_named_while_it_rests_is_kept_to() -> None:
    keys = rested()
    assert not keys.refused(7, 1.0, 1.0, 20.0)
    assert keys.breaker.open_for(1.0) == 20.0


def test_each_refused_probe_doubles_the_rest_and_one_answer_ends_it() -> None:
    keys, now, rests = rested(), 0.0, []
    for number in range(6):
        now += keys.breaker.open_for(now)
        keys.breaker.started(now)
        assert keys.refused(number, now, now, None)
        rests.append(keys.breaker.open_for(now))
    assert rests == [4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert keys.answered(now, now)
    assert keys.breaker.state(now) is BreakerState.CLOSED


def test_refusals_of_calls_sent_before_the_rest_say_nothing_new() -> None:
    keys = rested()
    assert not any(keys.refused(number, -0.1, 0.1, None) for number in range(20))
    assert keys.breaker.open_for(0.0) == 2.0
