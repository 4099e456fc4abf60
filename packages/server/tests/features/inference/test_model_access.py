"""Rules on models bind every way a model is chosen: named, by the router, as a branch, for embeddings."""

import json
from dataclasses import replace

import pytest

from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.domain.model_facts import DataPolicy
from monkey_coder_server.domain.model_rules import ModelRule
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import KEY, PRICES, Gateway
from packages.server.tests.features.inference.test_branching import ask, ran, world
from packages.server.tests.features.inference.test_embeddings import embed, openai

TEAM = Holder(HolderKind.TEAM, "team_1")
DEAREST = max(output for _, output in PRICES.values()) * 105 // 100


def whole() -> Gateway:
    """A gateway whose providers answer in one piece."""
    gateway = Gateway()
    for provider, script in (("openai", wires.openai()), ("anthropic", wires.anthropic()), ("google", wires.gemini())):
        gateway.wire.play(provider, script)
    return gateway


def ruled(gateway: Gateway, **rule: object) -> Gateway:
    gateway.rules = (ModelRule(TEAM, **rule),)  # type: ignore[arg-type] - of each test
    return gateway


@pytest.mark.parametrize("model", [None, "auto:best", "auto:cheap"])
async def test_the_router_passes_over_what_is_too_dear_with_its_markup(model: str | None) -> None:
    gateway = ruled(whole(), output_ceiling=DEAREST - 1)
    fields = {} if model is None else {"model": model}
    answer = await gateway.ask("/v1/execute", **fields)
    assert answer.status == 200, answer.body
    assert PRICES[f"{answer.headers['x-monkey-provider']}/{answer.headers['x-monkey-model']}"][1] * 105 // 100 < DEAREST


async def test_a_model_that_is_just_not_too_dear_may_be_named() -> None:
    dear = next(name for name, (_, output) in PRICES.items() if output * 105 // 100 == DEAREST)
    assert (await ruled(whole(), output_ceiling=DEAREST).ask("/v1/execute", model=dear)).status == 200
    refused = await ruled(whole(), output_ceiling=DEAREST - 1).ask("/v1/execute", model=dear)
    assert (refused.status, refused.json["error_code"]) == (403, "model_not_allowed")
    assert "a rule of the team team_1 allows" in refused.json["detail"]


@pytest.mark.parametrize(
    "rule",
    [
        {"policies": (DataPolicy.NO_TRAINING,)},
        {"capabilities": (Capability.DOCUMENTS,)},
        {"input_ceiling": 0},
        {"deny": ("openai/*", "anthropic/*", "google/*", "groq/*")},
        {"allow": ()},
    ],
)
@pytest.mark.parametrize("model", ["auto", "openai/gpt-big"])
async def test_where_no_model_fulfils_a_rule_none_is_called(rule: dict[str, object], model: str) -> None:
    gateway = ruled(world(), **rule)
    answer = await gateway.ask("/v1/execute", model=model)
    assert (answer.status, answer.json["error_code"]) == (403, "model_not_allowed")
    assert not gateway.wire.sent
    assert not gateway.books.open


async def test_branches_are_of_models_that_every_rule_lets() -> None:
    gateway = ruled(world(), deny=("anthropic/*",))
    gateway.key = replace(KEY, models=("openai/*", "anthropic/*", "google/gemini-big"))
    told = ran(await ask(gateway, config={"collapse_strategy": "vote", "execution_branches": 3}, task_type="chat"))
    assert {each["provider"] for each in told["branches"]} == {"openai", "google"}


async def test_embeddings_are_ruled_as_everything_else() -> None:
    gateway = ruled(Gateway(), input_ceiling=21_000_000)
    gateway.wire.play("openai", openai())
    assert (await embed(gateway, model="openai/embed-small")).status == 200
    refused = await embed(gateway, model="google/embed-gem")
    assert refused.status == 403
    assert "million input tokens" in json.dumps(refused.json)
    ruled(gateway, capabilities=(Capability.TOOLS,))
    assert (await embed(gateway, model="openai/embed-small")).status == 403
