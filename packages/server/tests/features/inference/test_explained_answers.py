"""An answer says by what its model was taken, and what that truly saved against the best single model."""

from typing import Any

import pytest

from monkey_coder_server.domain.money import parse_usd
from monkey_coder_server.features.inference import planning
from packages.server.tests.features.inference import test_branching, wires
from packages.server.tests.features.inference.gateway import MARKUP, PRICES, Answer, Gateway
from packages.server.tests.features.inference.test_cascade import ask, world
from packages.server.tests.features.inference.test_quote_debug_feedback import everything_answers, feedback


def collapse_of(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    told: dict[str, Any] = answer.json["result"]["quantum_collapse_info"]
    return told


def price(model: str, answer: Answer) -> int:
    """What the kept answer's tokens cost at a model, in nano-dollars."""
    tokens = answer.json["result"]["metadata"]["tokens"]
    input_rate, output_rate = PRICES[model]
    cost = (tokens["input"] * input_rate + tokens["output"] * output_rate) / 1_000_000
    return round(cost * (1 + MARKUP / 10_000))


@pytest.mark.parametrize("model", ["auto:cheap", "auto:best", "auto"])
async def test_the_saving_is_the_price_of_the_same_tokens_at_the_best_single_model_less_the_charge(model: str) -> None:
    gateway = Gateway()
    everything_answers(gateway)
    answer = await gateway.ask(model=model)
    told = collapse_of(answer)
    [(_, charge)] = gateway.books.settled.values()
    saved = price(told["best_single_model"], answer) - charge.charged
    assert parse_usd(told["saving_usd"].lstrip("-")) == pytest.approx(abs(saved), abs=1)
    if told["collapsed_to"] == told["best_single_model"]:
        assert saved == pytest.approx(0, abs=1)
    if model == "auto:cheap":
        assert float(told["saving_usd"]) > 0


async def test_several_answers_cost_more_than_the_best_single_one_and_it_is_said() -> None:
    gateway = test_branching.world()
    config = {"collapse_strategy": "best_score", "execution_branches": 3}
    answer = await test_branching.ask(gateway, config=config, model="auto:best")
    told = collapse_of(answer)
    assert told["collapse"] == "best_score"
    assert float(told["saving_usd"]) < 0
    [(_, charge)] = gateway.books.settled.values()
    saved = price(told["best_single_model"], answer) - charge.charged
    assert float(told["saving_usd"]) == pytest.approx(saved / 10**9, abs=1e-9)


async def test_a_planned_sequence_says_its_rule() -> None:
    gateway = await world()
    assert collapse_of(await ask(gateway))["collapse"] == "cascade"
    await gateway.settle_down()


async def test_a_watched_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "WATCHED_SHARE", 1.0)
    gateway = await world()
    everything_answers(gateway)
    first = (await gateway.ask()).json["execution_id"]
    await gateway.ask("/v1/feedback", body=feedback(request_id=first, outcome="accepted"))
    told = collapse_of(await ask(gateway))
    assert (told["collapse"], told["sequence"]["ran"]) == ("watched", "single")
    await gateway.settle_down()


async def test_a_fallback_after_a_failure_tells_how_the_first_was_taken() -> None:
    gateway = Gateway()
    everything_answers(gateway)
    best = collapse_of(await gateway.ask())["collapsed_to"]
    gateway.wire.play(best.partition("/")[0], wires.error(500))
    told = collapse_of(await gateway.ask())
    assert (told["collapse"], told["rank"] > 1) == ("best_ranked", True)
