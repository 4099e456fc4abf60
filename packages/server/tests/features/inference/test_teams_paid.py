"""Teams and money: all turns are held and quoted together, and a team that cannot be paid is made smaller."""

from dataclasses import replace

import pytest

from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, Period, Standing, Unit
from monkey_coder_server.domain.money import parse_usd
from monkey_coder_server.domain.pricing import PriceBook, Rates
from monkey_coder_server.ports.ledger import FailedRequest, Hold, Settlement
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway, rows
from packages.server.tests.features.inference.teams import DEAD, STRATEGIES, alone, ask, disagreeing, told
from packages.server.tests.features.inference.test_branching import said, script_of, world


async def test_every_call_is_in_the_books_with_what_was_done_before_it_is_made() -> None:
    gateway, pinned = alone("a plan that is long enough to be counted", "an answer", "APPROVED")
    drafts: list[Settlement | FailedRequest] = []
    note = gateway.books.underway

    def underway(hold: Hold, draft: Settlement | FailedRequest) -> None:
        drafts.append(draft)
        note(hold, draft)

    gateway.books.underway = underway  # type: ignore[method-assign] - the same books, listened to
    team = {"agent_count": 2, "coordination_strategy": "hierarchical", "enable_reflection": True}
    await ask(gateway, team=team, **pinned)
    assert [len(draft.bills) for draft in drafts] == [1, 2, 3]
    first, *later = [draft.usage.input for draft in drafts]
    assert all(prompt > first for prompt in later), "what others wrote is part of the prompt"


async def test_the_receipt_says_of_each_turn_whose_it_was_and_in_what_role() -> None:
    gateway, pinned = alone("a plan that is long enough to be counted", "an answer", "APPROVED")
    team = {"agent_count": 2, "coordination_strategy": "hierarchical", "enable_reflection": True}
    turns = told(await ask(gateway, team=team, **pinned))["turns"]
    [(settled, _)] = gateway.books.settled.values()
    assert [(each.agent, each.role) for each in settled.branches] == [(each["agent"], each["task"]) for each in turns]
    assert sorted(each.role for each in settled.branches) == ["critique", "draft", "plan"]


async def test_the_hold_covers_all_turns_and_a_limit_makes_the_team_smaller() -> None:
    gateway = disagreeing()
    held: list[int] = []
    gateway.wire.before_send = lambda: held.append(gateway.books.held)
    team = {"agent_count": 4, "enable_reflection": True, "max_iterations": 2}
    limit = {"context": {"max_tokens": 1_000}}
    path = "/v1/execute/stream"
    whole = said(await ask(gateway, path, team=team, **limit), path)
    assert len(set(held)) == 1
    [(settled, _)] = gateway.books.settled.values()
    assert held[0] == parse_usd(whole["result"]["metadata"]["held_usd"]) >= settled.price
    seen = set()
    for part in (2, 4, 8, 16, 40):
        answer = await ask(gateway, path, team=team, max_cost=f"{held[0] // part / 10**9:.9f}", **limit)
        worked, metadata = told(answer, path), said(answer, path)["result"]["metadata"]
        seen.add((worked["agents"], worked.get("reflections_paid_for", 0)))
        assert parse_usd(metadata["cost_usd"]) <= parse_usd(metadata["held_usd"]) <= held[0] // part
        assert worked["agents_asked"] == 4
    assert len(seen) > 1
    assert (1, 0) in seen, "at last one model answers"


async def test_where_no_team_can_be_paid_one_model_answers_and_that_is_said() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    one = (await gateway.ask("/v1/quote", model="openai/gpt-big", context={"max_tokens": 500})).json["maximum_usd"]
    answer = await ask(
        gateway, team={"agent_count": 3}, model="openai/gpt-big", context={"max_tokens": 500}, max_cost=one
    )
    worked = told(answer)
    assert (worked["agents_asked"], worked["agents"], worked["turns_run"]) == (3, 1, 1)
    assert "could not be paid together" in worked["note"]
    assert answer.json["orchestration_execution"]["mode"] == "single"


async def test_where_the_best_models_cannot_be_paid_together_cheaper_ones_work() -> None:
    gateway = disagreeing()
    team, limit = {"agent_count": 2, "coordination_strategy": "parallel"}, {"max_tokens": 2_000}
    dear = (await ask(gateway, "/v1/quote", team=team, context=limit, model="openai/gpt-big")).json["maximum_usd"]
    less = f"{parse_usd(dear) / 3 / 10**9:.9f}"
    quote = (await ask(gateway, "/v1/quote", team=team, context=limit, max_cost=less)).json
    assert len(quote["routes"]) == 2
    assert "gpt-big" not in {route["model"] for route in quote["routes"]}


async def test_a_limit_on_tokens_makes_the_team_smaller() -> None:
    gateway = disagreeing()
    gateway.books.limits.append(Standing(Limit(Holder(HolderKind.KEY, "key_1"), Period.DAY, Unit.TOKENS, 30_000)))
    worked = told(await ask(gateway, team={"agent_count": 4, "enable_reflection": True}, context={"max_tokens": 500}))
    assert 1 < worked["agents"] <= 4
    assert gateway.books.asked[-1].tokens <= 30_000


async def test_turns_that_others_used_up_the_hold_for_are_not_taken() -> None:
    gateway = world()
    best = (await gateway.ask("/v1/router/debug")).json["debug_info"]["routing_decision"]["provider"]
    gateway.wire.play(best, *[DEAD] * 3, script_of(best, "wrong"))
    worked = told(await ask(gateway, team={"agent_count": 1, "enable_reflection": True, "max_iterations": 1}))
    assert worked["turns"][0]["provider"] != best
    assert worked["ended_by"] == "hold_used_up"


async def test_a_quoted_team_works_as_it_was_quoted_though_another_model_leads_by_now() -> None:
    gateway = disagreeing()
    team = {"agent_count": 3, "coordination_strategy": "hierarchical"}
    quote = (await ask(gateway, "/v1/quote", team=team)).json
    first = quote["routes"][0]["model"]
    dearer = Rates.of(input=900_000_000_000, output=900_000_000_000)
    gateway.prices = PriceBook.of([replace(row, rates=dearer) if row.model == first else row for row in rows()])
    leading = (await ask(gateway, "/v1/quote", team=team)).json["routes"][0]["model"]
    assert leading != first
    answer = await ask(gateway, team=team, quote_id=quote["quote_id"])
    assert {turn["model"] for turn in told(answer)["turns"] if turn["agent"] == 1} == {first}


async def test_an_open_limit_is_shortened_before_the_team_is_made_smaller() -> None:
    gateway = disagreeing()
    first = (await ask(gateway, "/v1/quote", team={"agent_count": 3})).json
    less = f"{parse_usd(first['maximum_usd']) * 2 // 3 / 10**9:.9f}"
    second = (await ask(gateway, "/v1/quote", team={"agent_count": 3}, max_cost=less)).json
    assert len(second["routes"]) == len(first["routes"]) == 4
    assert second["routes"][0]["maximum_output_tokens"] == first["routes"][0]["maximum_output_tokens"] // 2


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_a_quote_promises_the_sum_of_all_turns_and_binds_it(strategy: str) -> None:
    gateway = disagreeing()
    team = {"agent_count": 3, "coordination_strategy": strategy, "enable_reflection": True, "max_iterations": 2}
    quote = (await ask(gateway, "/v1/quote", team=team)).json
    most = parse_usd(quote["maximum_usd"])
    assert most == sum(parse_usd(each["maximum_usd"]) for each in quote["routes"])
    assert 0 < parse_usd(quote["expected_usd"]) <= sum(parse_usd(each["expected_usd"]) for each in quote["routes"])
    answer = await ask(gateway, team=team, quote_id=quote["quote_id"])
    assert gateway.books.asked[0].amount == most
    assert told(answer)["agents"] == 3
    assert parse_usd(answer.headers["x-monkey-cost"]) <= most


async def test_limits_of_tokens_and_of_models_make_teams_smaller_too() -> None:
    gateway = disagreeing()
    gateway.books.cap = 200_000_000
    answer = await ask(gateway, team={"agent_count": 8, "enable_reflection": True})
    assert answer.status == 200
    assert gateway.books.asked[-1].amount <= 200_000_000


async def test_a_prompt_that_leaves_no_room_for_others_answers_is_answered_by_one_model() -> None:
    gateway = Gateway(balance=10**13)
    gateway.wire.play("openai", wires.openai(prompt=170_000))
    answer = await ask(gateway, team={"agent_count": 3}, model="openai/gpt-big", prompt="word " * 39_000)
    assert told(answer)["agents"] == 1
