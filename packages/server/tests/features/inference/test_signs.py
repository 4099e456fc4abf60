"""Refused, cut off, asked again at once: faint signs that count only where a model shows more of them than usual."""

import itertools
from typing import Any

import pytest

from monkey_coder_server.features.inference import signs as module
from monkey_coder_server.features.inference.beliefs import Beliefs, Signal
from monkey_coder_server.features.inference.outcomes import ServedBy
from monkey_coder_server.features.inference.signs import ASKED_AGAIN, CUT_OFF, REFUSED, TYPICAL, Signs
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway

BY = ServedBy("acct_1", "openai/gpt-big", "testing", "test", "python")


async def told(gateway: Gateway) -> list[Signal]:
    """What the study of a gateway learns."""
    learnt: list[Signal] = []
    original = Beliefs.learn

    def learn(self: Beliefs, by: ServedBy, signal: Signal) -> None:
        learnt.append(signal)
        original(self, by, signal)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Beliefs, "learn", learn)
        await gateway.settle_down()
    return learnt


async def bad_after(*answers: Any, asked: int = 1, **fields: Any) -> list[float]:
    """The weights of bad signs after so many requests."""
    gateway = Gateway()
    gateway.wire.play("openai", *answers)
    for _ in range(asked):
        assert (await gateway.ask(model="openai/gpt-big", **fields)).status == 200
    return [signal.weight for signal in await told(gateway) if signal.quality == 0.0]


async def test_a_good_answer_shows_no_sign() -> None:
    assert await bad_after(wires.openai()) == []


async def test_an_answer_cut_off_at_a_limit_nobody_set_is_a_sign() -> None:
    assert await bad_after(wires.openai(finish="length")) == [CUT_OFF]


async def test_an_answer_cut_off_at_the_callers_own_limit_is_none() -> None:
    assert await bad_after(wires.openai(finish="length"), context={"max_tokens": 20}) == []


async def test_a_refusal_is_a_sign() -> None:
    assert await bad_after(wires.openai(finish="content_filter")) == [REFUSED]


async def test_asking_the_very_same_again_is_a_sign_against_the_answer_before() -> None:
    assert await bad_after(wires.openai(), asked=3) == [ASKED_AGAIN * 2]


class Answer:
    """As much of a served request as signs look at."""

    client_gone = False
    refusal = ()
    finish = None
    request_id = "req_1"

    def __init__(self, started: float) -> None:
        self.started = started

    @property
    def job(self) -> "Answer":
        return self

    @property
    def answer(self) -> "Answer":
        return self


def note(signs: Signs, by: ServedBy, same: str, started: float, now: float) -> None:
    signs.note(Answer(started), by, same, now)  # type: ignore[arg-type] - as much of it as signs look at


def weights(signs: Signs) -> tuple[float, float]:
    """Of good and of bad."""
    said = [signal for _, signal in signs.told()]
    good = sum(signal.weight for signal in said if signal.quality)
    return good, sum(signal.weight for signal in said if not signal.quality)


def test_requests_sent_at_the_same_time_or_long_after_are_no_repeats() -> None:
    signs = Signs()
    note(signs, BY, "a", 0.0, 10.0)
    note(signs, BY, "a", 5.0, 11.0)
    note(signs, BY, "a", 500.0, 501.0)
    note(signs, ServedBy("acct_2", BY.model, "testing"), "a", 502.0, 503.0)
    assert weights(signs)[1] == 0.0


def test_what_was_told_is_told_once() -> None:
    signs = Signs()
    note(signs, BY, "a", 0.0, 1.0)
    assert weights(signs)[0] > 0.0
    assert weights(signs) == (0.0, 0.0)


def test_a_model_with_the_usual_share_of_signs_stays_where_it_was_and_one_with_more_falls() -> None:
    signs, numbers = Signs(), itertools.count()
    worse = ServedBy("acct_1", "openai/gpt-small", "testing", "test", "python")
    for by, every in ((BY, 100), (worse, 10)):
        for number in range(2_000):
            moment = 1_000.0 * next(numbers)
            note(signs, by, f"{by.model} {number}", moment, moment + 1.0)
            if number % every == 0:
                note(signs, by, f"{by.model} {number}", moment + 2.0, moment + 3.0)
    means = {}
    said = list(signs.told())
    for by in (BY, worse):
        own = [signal for each, signal in said if each == by]
        means[by.model] = sum(each.quality * each.weight for each in own) / sum(each.weight for each in own)
    assert means[worse.model] < TYPICAL < means[BY.model]


def test_what_was_answered_long_ago_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 1)
    signs = Signs()
    note(signs, BY, "a", 0.0, 1.0)
    note(signs, BY, "b", 2.0, 3.0)
    note(signs, BY, "a", 4.0, 5.0)
    assert weights(signs)[1] == 0.0
