"""Another model than the usual one is tried only for accounts that report, within bounds, and said openly."""

from typing import Any

import pytest

from monkey_coder_server.features.inference import exploration as module
from monkey_coder_server.features.inference.restraint import Restraint
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.features.inference.test_quote_debug_feedback import everything_answers, feedback

CHAT = "/v1/chat/completions"


@pytest.fixture
def unrestrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger has room."""
    monkeypatch.setattr(Restraint, "allows", lambda *_: True)


async def reporting(**fields: Any) -> Gateway:
    """A gateway whose account reports what becomes of its answers; the two it knows are about equally good."""
    gateway = Gateway(balance=500_000_000_000, **fields)
    everything_answers(gateway)
    for model in ("openai/gpt-small", "google/gemini-big"):
        for number in range(24):
            served = (await gateway.ask(model=model, context={"max_tokens": 10 + number})).json["execution_id"]
            outcome = "tests_failed" if number % 8 == 0 else "tests_passed"
            await gateway.ask("/v1/feedback", body=feedback(request_id=served, outcome=outcome))
    return gateway


async def collapses(gateway: Gateway, count: int, **fields: Any) -> list[dict[str, Any]]:
    answers = [await gateway.ask(**fields) for _ in range(count)]
    return [answer.json["result"]["quantum_collapse_info"] for answer in answers]


@pytest.mark.usefixtures("unrestrained")
async def test_requests_of_an_account_that_reports_are_drawn_by_the_probabilities_they_tell() -> None:
    told = await collapses(await reporting(), 60)
    assert {info["collapse"] for info in told} == {"drawn"}
    assert len({info["draw"] for info in told}) == 60
    assert len({info["collapsed_to"] for info in told}) > 1
    for info in told:
        assert info["collapsed_to"] == info["drawn"]
        assert info["propensity"] == pytest.approx(info["probabilities"][info["drawn"]], abs=1e-4)
        assert sum(info["probabilities"].values()) == pytest.approx(1.0, abs=1e-2)


@pytest.mark.usefixtures("unrestrained")
async def test_models_of_which_little_is_known_get_a_twentieth_at_most_together() -> None:
    info = (await collapses(await reporting(), 1))[0]
    few = {each["model"] for each in info["superposition"] if each["outcomes_seen"] < 10}
    assert info["superposition"][0]["model"] in few
    assert sum(info["probabilities"].get(model, 0.0) for model in few) <= 0.0501


@pytest.mark.usefixtures("unrestrained")
@pytest.mark.parametrize(
    ("fields", "collapse"),
    [
        ({"model": "auto:best"}, "best_proven"),
        ({"model": "openai/gpt-big"}, "best_ranked"),
        ({"headers": {"x-stainless-retry-count": "1"}}, "best_proven"),
    ],
)
async def test_whoever_pins_wants_the_best_or_asks_again_is_not_drawn(fields: dict[str, Any], collapse: str) -> None:
    told = await collapses(await reporting(), 5, **fields)
    assert [info["collapse"] for info in told] == [collapse] * 5
    assert len({info["collapsed_to"] for info in told}) == 1


@pytest.mark.usefixtures("unrestrained")
async def test_a_quote_and_what_runs_under_it_are_not_drawn() -> None:
    gateway = await reporting()
    for _ in range(5):
        quote = (await gateway.ask("/v1/quote")).json
        info = (await collapses(gateway, 1, quote_id=quote["quote_id"]))[0]
        assert (info["collapse"], info["collapsed_to"]) == ("best_proven", quote["route"])


async def test_who_reports_nothing_is_never_drawn() -> None:
    gateway = Gateway()
    everything_answers(gateway)
    assert {info["collapse"] for info in await collapses(gateway, 30)} == {"best_ranked"}


async def test_an_account_without_room_in_its_ledger_is_not_drawn() -> None:
    gateway = await reporting()
    assert (await collapses(gateway, 1))[0]["collapse"] == "best_proven"


async def test_of_all_requests_nine_tenths_are_worth_what_is_played_as_a_rule() -> None:
    gateway = await reporting()
    usual = (await gateway.ask("/v1/router/debug")).json["debug_info"]["metadata"]["chosen"]
    told = await collapses(gateway, 100)
    assert 0 < sum(info["collapsed_to"] != usual for info in told) <= 10


@pytest.mark.usefixtures("unrestrained")
async def test_what_is_drawn_still_keeps_to_the_key_and_the_callers_limit() -> None:
    gateway = await reporting()
    gateway.allow("openai/gpt-small", "openai/gpt-big")
    for info in await collapses(gateway, 20):
        assert set(info["probabilities"]) <= {"openai/gpt-small", "openai/gpt-big"}
        assert info["collapsed_to"] in {"openai/gpt-small", "openai/gpt-big"}
    drawn = set()
    for _ in range(20):
        answer = await gateway.ask(max_cost="0.003", context={"max_tokens": 100})
        assert answer.status == 200, answer.body
        assert float(answer.json["result"]["metadata"]["held_usd"]) <= 0.003
        drawn.add(answer.json["result"]["quantum_collapse_info"]["drawn"])
    assert "openai/gpt-big" in drawn


@pytest.mark.usefixtures("unrestrained")
async def test_a_conversation_stays_with_the_model_it_began_with() -> None:
    gateway = await reporting()
    gateway.wire.play("openai", wires.openai())

    async def asked(*said: str) -> str:
        roles = ("user", "assistant")
        messages = [{"role": roles[place % 2], "content": text} for place, text in enumerate(said)]
        answer = await gateway.ask(CHAT, body=feedback(model="auto", messages=messages))
        assert answer.status == 200, answer.body
        return answer.headers["x-monkey-model"]

    models = set()
    for number in range(40):
        first = await asked(f"fix a.py {number}")
        models.add(first)
        assert await asked(f"fix a.py {number}", "Done.", "and now b.py") == first
    assert len(models) > 1


@pytest.mark.usefixtures("unrestrained")
async def test_debug_says_what_this_request_would_be_played_and_what_that_saves() -> None:
    gateway = await reporting()
    info = (await gateway.ask("/v1/router/debug")).json["debug_info"]
    collapse = info["metadata"]["collapse"]
    assert collapse["collapse"] == "drawn"
    assert collapse["drawn"] in collapse["probabilities"]
    assert info["metadata"]["work"] == {"kind": "implement", "language": "", "size": "small"}
    candidates = {each["model"]: each for each in info["metadata"]["candidates"]}
    best = max(candidates.values(), key=lambda each: each["success"])
    assert collapse["best_single_model"] == best["model"]
    saved = float(best["expected_cost_usd"]) - float(candidates[collapse["drawn"]]["expected_cost_usd"])
    assert float(collapse["expected_saving_usd"]) == pytest.approx(saved)


@pytest.mark.usefixtures("unrestrained")
async def test_a_drawn_model_that_fails_is_followed_by_the_best_ranked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "drawn", lambda *_: 1)
    gateway = await reporting()
    plain = (await collapses(gateway, 1))[0]
    first, second = (each["model"] for each in plain["superposition"][:2])
    assert plain["collapsed_to"] == second
    gateway.wire.play(second.partition("/")[0], wires.error(500))
    info = (await collapses(gateway, 1))[0]
    assert first.partition("/")[0] != second.partition("/")[0]
    assert (info["drawn"], info["collapsed_to"]) == (second, first)
