"""A model that leads by what is stated of it alone gets a small part of the requests while a rival is proven."""

from typing import Any

import pytest

from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.features.inference.test_decision_log import stop
from packages.server.tests.features.inference.test_exploration import CHAT, collapses
from packages.server.tests.features.inference.test_quote_debug_feedback import everything_answers, feedback

STRANGER = "acct_stranger"
"""Reports nothing."""
PROVEN = "anthropic/claude-big"


async def prove(gateway: Gateway, model: str, *, good: int = 4, of: int = 6) -> None:
    """Let three accounts tell outcomes of a model, so that everybody knows it."""
    for account in ("acct_a", "acct_b", "acct_c"):
        for number in range(of):
            asked = await gateway.ask(model=model, account=account, context={"max_tokens": 10 + number})
            outcome = "tests_passed" if number < good else "tests_failed"
            sent = feedback(request_id=asked.json["execution_id"], outcome=outcome)
            assert (await gateway.ask("/v1/feedback", body=sent, account=account)).status == 200


async def seasoned(*proven: str) -> Gateway:
    gateway = Gateway(balance=10**15)
    everything_answers(gateway)
    for model in proven:
        await prove(gateway, model)
    gateway.health.version += 1
    return gateway


async def told(gateway: Gateway, count: int = 1, **fields: Any) -> list[dict[str, Any]]:
    return await collapses(gateway, count, **{"account": STRANGER} | fields)


async def newcomer() -> str:
    """The model that ranks first by what is stated."""
    (info,) = await told(await seasoned())
    model: str = info["collapsed_to"]
    assert model != PROVEN
    return model


async def test_on_a_fresh_gateway_the_best_ranked_is_played() -> None:
    assert {(info["collapse"], info["rank"]) for info in await told(await seasoned(), 20)} == {("best_ranked", 1)}


async def test_a_newcomer_gets_a_twentieth_and_the_best_proven_the_rest() -> None:
    answers = await told(await seasoned(PROVEN), 300)
    name = await newcomer()
    assert {info["superposition"][0]["model"] for info in answers} == {name}
    assert {info["collapse"] for info in answers} == {"newcomer_limited"}
    assert {info["collapsed_to"] for info in answers} == {name, PROVEN}
    assert 0 < sum(info["collapsed_to"] == name for info in answers) < 0.1 * len(answers)
    for info in answers:
        assert info["probabilities"] == pytest.approx({name: 0.05, PROVEN: 0.95})
        assert info["propensity"] == pytest.approx(info["probabilities"][info["collapsed_to"]])


async def test_it_is_the_requests_number_that_says_who_gets_it() -> None:
    one, other = [await told(await seasoned(PROVEN), 60) for _ in range(2)]
    assert [info["draw"] for info in one] == [info["draw"] for info in other]
    assert [info["collapsed_to"] for info in one] == [info["collapsed_to"] for info in other]


async def test_the_log_tells_the_chances_of_all() -> None:
    gateway = await seasoned(PROVEN)
    answer = (await gateway.ask(account=STRANGER)).json
    await stop(gateway)
    decision = gateway.diary.decisions[answer["execution_id"]]
    name = await newcomer()
    chances = {each.arm: each.propensity for each in decision.candidates if each.propensity}
    assert decision.explored
    assert chances == pytest.approx({name: 0.05, PROVEN: 0.95})
    assert decision.propensity == chances[decision.arm]


async def test_who_asks_again_gets_what_is_proven() -> None:
    answers = await told(await seasoned(PROVEN), 60, headers={"x-stainless-retry-count": "1"})
    assert {(info["collapse"], info["collapsed_to"]) for info in answers} == {("best_proven", PROVEN)}


async def test_who_wants_the_best_gets_what_is_proven_where_that_is_about_as_good() -> None:
    gateway = await seasoned()
    await prove(gateway, PROVEN, good=5)
    gateway.health.version += 1
    answers = await told(gateway, 60, model="auto:best")
    assert {(info["collapse"], info["collapsed_to"]) for info in answers} == {("best_proven", PROVEN)}


async def test_who_wants_the_best_does_not_get_a_weak_model_because_it_is_proven() -> None:
    gateway = await seasoned()
    await prove(gateway, "openai/gpt-small", good=3)
    gateway.health.version += 1
    (info,) = await told(gateway, model="auto:best")
    assert (info["collapse"], info["rank"]) == ("best_ranked", 1)


async def test_a_quote_is_of_what_is_proven_and_so_is_what_runs_under_it() -> None:
    gateway = await seasoned(PROVEN)
    for _ in range(5):
        quote = (await gateway.ask("/v1/quote", account=STRANGER)).json
        (info,) = await told(gateway, quote_id=quote["quote_id"])
        assert (info["collapse"], info["collapsed_to"], quote["route"]) == ("best_proven", PROVEN, PROVEN)


async def test_who_names_the_newcomer_gets_it() -> None:
    name = await newcomer()
    answers = await told(await seasoned(PROVEN), 5, model=name)
    assert {(info["collapse"], info["collapsed_to"]) for info in answers} == {("best_ranked", name)}


async def test_once_it_is_proven_it_is_played() -> None:
    name = await newcomer()
    gateway = await seasoned(PROVEN)
    await prove(gateway, name, good=6)
    gateway.health.version += 1
    answers = await told(gateway, 20)
    assert {(info["collapse"], info["collapsed_to"]) for info in answers} == {("best_ranked", name)}


async def test_a_proven_model_that_is_bad_holds_nobody_back() -> None:
    gateway = await seasoned()
    await prove(gateway, PROVEN, good=0, of=12)
    gateway.health.version += 1
    assert {info["collapse"] for info in await told(gateway, 10)} == {"best_ranked"}


async def test_a_conversation_keeps_what_fell_to_it() -> None:
    gateway = await seasoned(PROVEN)

    async def turn(*said: str) -> str:
        roles = ("user", "assistant")
        messages = [{"role": roles[place % 2], "content": text} for place, text in enumerate(said)]
        answer = await gateway.ask(CHAT, body=feedback(model="auto", messages=messages), account=STRANGER)
        assert answer.status == 200, answer.body
        return answer.headers["x-monkey-model"]

    models = set()
    for number in range(60):
        first = await turn(f"hello {number}")
        models.add(first)
        assert await turn(f"hello {number}", "Hello.", "and you?") == first
    assert len(models) == 2


async def test_debug_says_who_is_played_and_why() -> None:
    info = (await (await seasoned(PROVEN)).ask("/v1/router/debug", account=STRANGER)).json["debug_info"]
    decision, collapse = info["routing_decision"], info["metadata"]["collapse"]
    assert f"{decision['provider']}/{decision['model']}" == info["metadata"]["chosen"] == PROVEN
    assert decision["reasoning"].startswith("Highest utility of those proven by outcomes")
    assert collapse["collapse"] == "newcomer_limited"
    assert collapse["probabilities"] == pytest.approx({await newcomer(): 0.05, PROVEN: 0.95})
