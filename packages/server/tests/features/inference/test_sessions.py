"""A conversation stays with the model whose provider has its prompt in the cache, while that is worth it."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from monkey_coder_server.domain.pricing import PriceBook, Rates
from monkey_coder_server.features.inference import sessions as module
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway, rows
from packages.server.tests.features.inference.world import Script

CHAT = "/v1/chat/completions"
MODELS = ("gpt-big", "gpt-small")
"""OpenAI's."""
LONG = "word " * 30_000
TURNS = (
    {"role": "user", "content": LONG},
    {"role": "assistant", "content": "Done."},
    {"role": "user", "content": "go on"},
)


def answering(cached: int) -> Script:
    """OpenAI's answer, of a prompt of which so many tokens were cached."""
    script = wires.openai(prompt=30_000)
    body = json.loads(script.pieces[0])
    body["usage"]["prompt_tokens_details"] = {"cached_tokens": cached}
    return replace(script, pieces=[json.dumps(body).encode()])


def gateway(*, cached: int = 29_000, cached_share: float = 0.1) -> Gateway:
    """Cached input costs that share of input everywhere; OpenAI's models are the only ones that tell of a cache."""
    made = Gateway(balance=500_000_000_000_000)
    made.prices = PriceBook.of(
        replace(
            row,
            rates=Rates.of(
                input=row.rates.input, output=row.rates.output, cache_read=int(cached_share * row.rates.input)
            ),
        )
        for row in rows()
    )
    made.wire.play("openai", answering(cached))
    made.wire.play("anthropic", wires.anthropic(prompt=30_000))
    made.wire.play("google", wires.gemini())
    return made


async def turn(at: Gateway, model: str = "auto", count: int = 3, **fields: Any) -> str:
    """The model that answers the first so many messages of the conversation."""
    body = json.dumps({"model": model, "messages": TURNS[:count], **fields}).encode()
    answer = await at.ask(CHAT, body=body)
    assert answer.status == 200, answer.body
    return answer.headers["x-monkey-model"]


async def best_ranked() -> str:
    return await turn(gateway())


async def stays_with(at: Gateway) -> set[str]:
    """The models a conversation that began with them stays with, though they are not the best-ranked."""
    best, stayed = await best_ranked(), set()
    for name in MODELS:
        assert await turn(at, f"openai/{name}", 1) == name
        if await turn(at) == name != best:
            stayed.add(name)
    return stayed


async def test_a_conversation_stays_where_what_is_cached_makes_it_the_best() -> None:
    assert await stays_with(gateway())


async def test_it_moves_where_being_cached_spares_too_little() -> None:
    assert await stays_with(gateway(cached_share=1.0)) == set()
    assert await stays_with(gateway(cached=100)) == set()


async def test_nothing_is_warm_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WARM_SECONDS", -1.0)
    assert await stays_with(gateway()) == set()


async def test_another_conversation_and_a_first_turn_stay_with_nothing() -> None:
    at, best = gateway(), await best_ranked()
    for name in await stays_with(gateway()):
        await turn(at, f"openai/{name}", 1)
        assert await turn(at, count=1) == best
        other = [{"role": "user", "content": "other " + LONG}, *TURNS[1:]]
        await turn(at, f"openai/{name}", 1)
        assert await turn(at, messages=other) == best


async def test_it_moves_when_the_warm_model_fails_and_stays_where_it_then_is() -> None:
    at = gateway()
    (name, *_) = sorted(await stays_with(gateway()))
    await turn(at, f"openai/{name}", 1)
    at.wire.play("openai", Script(status=500, pieces=[b"{}"]))
    moved = await turn(at)
    assert moved not in MODELS
    at.wire.play("openai", answering(29_000))
    assert await turn(at) == await best_ranked()


async def debug(at: Gateway, **fields: Any) -> dict[str, Any]:
    """What is said of the account's conversations, for a task as long as the conversation."""
    answer = await at.ask("/v1/router/debug", prompt=LONG, task_type="chat", **fields)
    told: dict[str, Any] = answer.json["debug_info"]["metadata"]["staying"]
    return told


async def test_debug_tells_what_holds_a_conversation_and_what_moving_would_cost() -> None:
    for name in MODELS:
        at = gateway()
        assert (await debug(at))["conversations"] == []
        await turn(at, f"openai/{name}", 1)
        told = await debug(at)
        (warm,) = told["conversations"]
        assert (warm["model"], warm["cached_tokens"]) == (f"openai/{name}", 29_000)
        assert 0 < warm["seconds_left"] <= module.WARM_SECONDS
        expected = {
            each["model"]: Decimal(each["expected_cost_usd"])
            for each in (await at.ask("/v1/router/debug", prompt=LONG, task_type="chat")).json["debug_info"][
                "metadata"
            ]["candidates"]
        }
        stayed = expected[warm["model"]] - Decimal(warm["saving_usd"])
        assert Decimal(warm["saving_usd"]) > 0
        assert Decimal(warm["moving_costs_usd"]) == expected[told["best_ranked"]] - stayed
        assert warm["stays"] == (await turn(at) == name)


async def test_debug_says_that_a_request_which_names_its_model_stays_with_nothing() -> None:
    at = gateway()
    for name in MODELS:
        await turn(at, f"openai/{name}", 1, messages=[{"role": "user", "content": f"{name} {LONG}"}])
    told = await debug(at, model="openai/gpt-small")
    assert [each["model"] for each in told["conversations"]] == ["openai/gpt-small", "openai/gpt-big"]
    assert [each["stays"] for each in told["conversations"]] == [False, False]
    assert told["conversations"][1]["saving_usd"] is None


async def test_debug_tells_nobody_of_others_conversations_nor_of_cold_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    at = gateway()
    await turn(at, "openai/gpt-small", 1)
    assert (await debug(at, account="acct_2"))["conversations"] == []
    monkeypatch.setattr(module, "WARM_SECONDS", -1.0)
    assert (await debug(at))["conversations"] == []


async def test_places_of_long_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 1)
    at, best = gateway(), await best_ranked()
    (name, *_) = sorted(await stays_with(gateway()))
    await turn(at, f"openai/{name}", 1)
    await turn(at, f"openai/{name}", messages=[{"role": "user", "content": "other " + LONG}])
    assert await turn(at) == best


async def test_the_log_says_that_it_was_played_for_sure() -> None:
    at = gateway()
    (name, *_) = sorted(await stays_with(gateway()))
    await turn(at, f"openai/{name}", 1)
    assert at.feature.start is not None
    await at.feature.start()
    assert await turn(at) == name
    await at.settle_down()
    (decision,) = [each for each in at.diary.decisions.values() if each.arm == f"openai/{name}"]
    assert decision.propensity == 1.0
    assert [each.propensity for each in decision.candidates if each.arm == f"openai/{name}"] == [1.0]
    assert sum(each.propensity for each in decision.candidates) == 1.0
