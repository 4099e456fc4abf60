"""Cascades and races that the router plans: behind checks that were shown to be of use, and a single model else."""

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.evidence import Tally
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.money import parse_usd
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import KEY, Answer, Gateway
from packages.server.tests.features.inference.test_branching import BROKEN, PROVIDERS, ran, said, script_of
from packages.server.tests.features.inference.test_quote_debug_feedback import everything_answers
from packages.server.tests.features.inference.world import ACCOUNT, Script, Sums

PATHS = ["/v1/execute", "/v1/execute/stream"]
CASCADE = {"collapse_strategy": "cascade"}
HEADER = "x-mk-collapse"
DIALECTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions",) * 2 + ({"messages": [{"role": "user", "content": "write a parser"}]},),
    "messages": ("/v1/messages",) * 2 + ({"messages": [{"role": "user", "content": "write it"}], "max_tokens": 500},),
    "responses": ("/v1/responses",) * 2 + ({"input": "write a parser"},),
    "gemini": (
        "/v1beta/models/auto:generateContent",
        "/v1beta/models/auto:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "write a parser"}]}]},
    ),
}
"""Where each is asked whole and as a stream, and for what."""


def known(right: float = 0.97, wrong: float = 0.03, *, answers: float = 200.0, account: str = ACCOUNT) -> Sums:
    """What was learnt of checks that passed these shares of right and wrong answers."""
    sums = Sums()
    for truth, share in (("right", right), ("wrong", wrong)):
        sums.kept[("implement", "", account), f"together {truth}"] = Tally(answers, answers * share)
    return sums


async def world(verdicts: Sums | None = None, **texts: str) -> Gateway:
    """A gateway that began with what is known of checks; every provider says a text, or what it is told to."""
    gateway = Gateway(verdicts=known() if verdicts is None else verdicts, balance=10**12)
    for provider in PROVIDERS:
        gateway.wire.play(provider, script_of(provider, texts.get(provider, wires.TEXT)))
    assert gateway.feature.start is not None
    await gateway.feature.start()
    return gateway


async def ask(gateway: Gateway, path: str = "/v1/execute", **fields: Any) -> Answer:
    return await gateway.ask(path, **{"orchestration_config": CASCADE, **fields})


def sequence(answer: Answer, path: str = "/v1/execute") -> dict[str, Any]:
    told: dict[str, Any] = said(answer, path)["result"]["quantum_collapse_info"]["sequence"]
    return told


async def debugged(gateway: Gateway, **fields: Any) -> dict[str, Any]:
    body = (await ask(gateway, "/v1/router/debug", **fields)).json
    told: dict[str, Any] = body["debug_info"]["metadata"]
    return told


@pytest.mark.parametrize("path", PATHS)
async def test_the_first_answer_that_passes_is_given_and_the_others_are_never_asked(path: str) -> None:
    gateway = await world()
    answer = await ask(gateway, path)
    told = ran(answer, path)
    assert (told["rule"], told["mode"], told["branches_run"]) == ("cascade", "sequential", 1)
    assert len(gateway.wire.sent) == 1
    assert answer.headers["x-monkey-collapse"] == "cascade"
    planned = sequence(answer, path)
    assert planned["ran"] == "cascade"
    assert len(planned["arms"]) > 1
    assert parse_usd(planned["foreseen"]["cost_usd"]) < parse_usd(planned["strongest_alone"]["cost_usd"])
    assert planned["foreseen"]["success"] > planned["strongest_alone"]["success"]
    await gateway.settle_down()


@pytest.mark.parametrize("path", PATHS)
async def test_an_answer_that_fails_escalates_and_both_are_paid_for_openly(path: str) -> None:
    gateway = await world()
    first, second, *_ = (await debugged(gateway))["sequence"]["arms"]
    gateway.wire.play(first.partition("/")[0], script_of(first.partition("/")[0], BROKEN))
    answer = await ask(gateway, path)
    told = ran(answer, path)
    assert [f"{each['provider']}/{each['model']}" for each in told["branches"]] == [second, first]
    assert [each["passed"] for each in told["branches"]] == [True, False]
    assert told["rule_met"]
    assert said(answer, path)["result"]["result"] == wires.TEXT
    if path == "/v1/execute/stream":
        assert answer.text == wires.TEXT, "nothing of what failed was passed on"
    [(settled, charge)] = gateway.books.settled.values()
    assert charge.charged == settled.price == sum(parse_usd(each["cost_usd"]) for each in told["branches"])
    assert settled.provider_cost == sum(bill.cost for bill in settled.bills)
    assert not gateway.books.open
    await gateway.settle_down()


async def test_a_provider_that_fails_is_passed_over() -> None:
    gateway = await world()
    first = (await debugged(gateway))["sequence"]["arms"][0].partition("/")[0]
    gateway.wire.play(first, Script(before=FailureKind.CONNECTION))
    told = ran(await ask(gateway))
    assert [each["outcome"] for each in told["branches"]] == ["served", "failed"]
    await gateway.settle_down()


async def test_where_nothing_passes_the_likeliest_answer_is_given_and_that_is_said() -> None:
    gateway = await world(**dict.fromkeys(PROVIDERS, BROKEN))
    told = ran(await ask(gateway))
    assert not told["rule_met"]
    assert told["branches_run"] > 1
    await gateway.settle_down()


@pytest.mark.parametrize("rule", ["cascade", "race", "auto"])
async def test_behind_a_useless_check_one_model_answers_and_why_is_said(rule: str) -> None:
    gateway = await world(known(0.8, 0.8))
    everything_answers(gateway)
    answer = await ask(gateway, orchestration_config={"collapse_strategy": rule})
    planned = sequence(answer)
    assert (planned["asked"], planned["ran"]) == (rule, "single")
    assert "tell right answers from wrong ones" in planned["reason"]
    assert planned["check"]["useful"] is False
    assert ran(answer)["mode"] == "single"
    assert planned["reason"] in ran(answer)["note"]
    assert answer.headers["x-monkey-collapse"] == "single"
    assert len(gateway.wire.sent) == 1
    await gateway.settle_down()


async def test_at_first_no_check_is_known_to_be_of_use() -> None:
    gateway = await world(Sums())
    everything_answers(gateway)
    planned = sequence(await ask(gateway))
    assert planned["ran"] == "single"
    assert planned["check"]["passes_right"] == planned["check"]["passes_wrong"]
    await gateway.settle_down()


WHOLE = {"openai": wires.openai, "anthropic": wires.anthropic, "google": wires.gemini}


async def test_a_quote_promises_all_that_may_be_started_and_binds_it() -> None:
    gateway = await world()
    quote = (await ask(gateway, "/v1/quote")).json
    assert len(quote["routes"]) > 1
    assert parse_usd(quote["maximum_usd"]) == sum(parse_usd(each["maximum_usd"]) for each in quote["routes"])
    assert parse_usd(quote["expected_usd"]) < parse_usd(quote["maximum_usd"])
    held: list[int] = []
    gateway.wire.before_send = lambda: held.append(gateway.books.held)
    answer = await ask(gateway, quote_id=quote["quote_id"])
    assert ran(answer)["rule"] == "cascade"
    promised = {f"{each['provider']}/{each['model']}": parse_usd(each["maximum_usd"]) for each in quote["routes"]}
    assert held == [sum(promised[name] for name in sequence(answer)["arms"])]
    assert held[0] <= parse_usd(quote["maximum_usd"])
    await gateway.settle_down()


async def test_what_cannot_be_paid_together_is_not_begun() -> None:
    gateway = await world()
    everything_answers(gateway)
    context = {"max_tokens": 1_000}
    await ask(gateway, "/v1/quote", context=context)
    full = (await ask(gateway, "/v1/quote", context=context)).json
    cheapest = min(parse_usd(each["maximum_usd"]) for each in full["routes"])
    limit = f"{cheapest * 11 // 10 / 10**9:.9f}"
    answer = await ask(gateway, context=context, max_cost=limit)
    assert sequence(answer)["ran"] == "single"
    assert parse_usd(answer.headers["x-monkey-cost"]) <= parse_usd(limit)
    await gateway.settle_down()


async def test_one_model_answers_where_the_leading_one_is_believed_in_enough_or_no_other_may() -> None:
    gateway = await world()
    everything_answers(gateway)
    sure = await ask(gateway, orchestration_config={**CASCADE, "uncertainty_threshold": 0.99})
    assert "believed in enough" in sequence(sure)["reason"]
    pinned = await ask(gateway, model="openai/gpt-big")
    assert "only one model" in sequence(pinned)["reason"]
    await gateway.settle_down()


async def test_single_says_so_against_what_the_key_asks() -> None:
    gateway = await world()
    everything_answers(gateway)
    for config in ({"collapse_strategy": "single"}, {"execution_branches": 1}):
        answer = await ask(gateway, orchestration_config=config)
        assert ran(answer)["mode"] == "single"
        assert "x-monkey-collapse" not in answer.headers
    await gateway.settle_down()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_any_dialect_asks_by_a_header_and_gets_what_passed(dialect: str, stream: bool) -> None:
    gateway = await world(**dict.fromkeys(PROVIDERS[1:], BROKEN))
    whole, streamed, body = DIALECTS[dialect]
    sent = {**body, "model": "auto"} if dialect != "gemini" else body
    if stream and dialect != "gemini":
        sent = {**sent, "stream": True}
    path = streamed if stream else whole
    answer = await gateway.ask(path, body=json.dumps(sent).encode(), headers={HEADER: "cascade"})
    assert answer.status == 200, answer.body
    assert answer.headers["x-monkey-collapse"] == "cascade"
    assert answer.headers["x-monkey-provider"] == "openai"
    assert b"hello" in answer.body
    assert b"def (:" not in answer.body
    [(settled, charge)] = gateway.books.settled.values()
    assert charge.charged == sum(branch.price for branch in settled.branches)
    assert settled.branches[0].kept
    assert len(gateway.wire.sent) == len(settled.branches)
    assert not gateway.notes.defects
    await gateway.settle_down()


async def test_a_header_that_is_no_rule_is_refused_in_the_callers_dialect() -> None:
    gateway = await world()
    body = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "hi"}]}).encode()
    answer = await gateway.ask("/v1/chat/completions", body=body, headers={HEADER: "magic"})
    assert answer.status == 400
    assert "X-MK-Collapse" in answer.json["error"]["message"]


async def test_a_key_can_ask_for_it_and_a_request_says_otherwise() -> None:
    gateway = await world()
    gateway.key = type(KEY)(**{name: getattr(KEY, name) for name in KEY.__slots__} | {"collapse": "cascade"})
    assert ran(await gateway.ask())["rule"] == "cascade"
    everything_answers(gateway)
    assert ran(await gateway.ask(headers={HEADER: "single"}))["mode"] == "single"
    await gateway.settle_down()


async def test_vectors_are_of_one_model_whatever_the_key_asks() -> None:
    gateway = await world()
    answer = await gateway.ask(
        "/v1/embeddings", body=b'{"model": "openai/embed-small", "input": "x"}', headers={HEADER: "cascade"}
    )
    assert "x-monkey-collapse" not in answer.headers
    await gateway.settle_down()


async def test_a_race_asks_at_once_and_keeps_the_first_that_passes() -> None:
    gateway = await world()
    everything_answers(gateway)
    gateway.wire.scripts["openai"][0].delay = 2.0
    for model in ("openai/gpt-big", "anthropic/claude-big", "google/gemini-big"):
        await gateway.ask(model=model)
    for provider in PROVIDERS:
        gateway.wire.play(provider, script_of(provider))
    gateway.wire.scripts["openai"][0].delay = 2.0
    answer = await ask(gateway, orchestration_config={"collapse_strategy": "race"})
    planned = sequence(answer)
    assert planned["ran"] == "race", planned
    assert planned["foreseen"]["latency_ms"] < planned["strongest_alone"]["latency_ms"]
    told = ran(answer)
    assert (told["rule"], told["mode"]) == ("race", "parallel")
    assert told["branches_run"] == len(planned["arms"])
    await gateway.settle_down()


async def test_equal_requests_of_a_moment_are_planned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = await world()
    for _ in range(2):  # the first verdict makes something known of this kind of work
        await ask(gateway)

    def again(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("monkey_coder_server.features.inference.sequences.sequencing", again)
    assert ran(await ask(gateway))["rule"] == "cascade"
    await gateway.settle_down()


class Drawn(NamedTuple):
    """What may differ from one run to the next."""

    rule: str
    branches: int
    right: float
    wrong: float
    delays: list[float]
    broken: set[str]
    dead: set[str]
    balance: int


DRAWN = st.builds(
    Drawn,
    rule=st.sampled_from(["cascade", "race", "auto"]),
    branches=st.integers(2, 5),
    right=st.sampled_from([0.8, 0.95, 1.0]),
    wrong=st.sampled_from([0.0, 0.05, 0.8]),
    delays=st.lists(st.sampled_from([0.0, 0.001, 0.003]), min_size=3, max_size=3),
    broken=st.sets(st.sampled_from(PROVIDERS)),
    dead=st.sets(st.sampled_from(PROVIDERS)),
    balance=st.integers(10_000_000, 2_000_000_000),
)


@settings(max_examples=40, deadline=None)
@given(drawn=DRAWN)
async def test_whatever_is_planned_no_more_is_charged_than_held_and_nothing_stays_open(drawn: Drawn) -> None:
    gateway = Gateway(balance=drawn.balance, verdicts=known(drawn.right, drawn.wrong))
    assert gateway.feature.start is not None
    await gateway.feature.start()
    for provider, delay in zip(PROVIDERS, drawn.delays, strict=True):
        script = script_of(provider, BROKEN if provider in drawn.broken else wires.TEXT)
        script.delay = delay
        gateway.wire.play(provider, Script(before=FailureKind.CONNECTION) if provider in drawn.dead else script)
    held: list[int] = []
    gateway.wire.before_send = lambda: held.append(gateway.books.held)
    config = {"collapse_strategy": drawn.rule, "execution_branches": drawn.branches}
    await ask(gateway, "/v1/execute/stream", orchestration_config=config, context={"max_tokens": 300})
    await gateway.settle_down()
    assert not gateway.books.open
    assert not gateway.notes.defects
    assert len(held) <= drawn.branches * 3
    for settled, charge in gateway.books.settled.values():
        assert settled.price == sum(branch.price for branch in settled.branches) or not settled.branches
        assert charge.loss == 0
        assert charge.charged == settled.price <= held[0] <= drawn.balance
        assert len([branch for branch in settled.branches if branch.kept]) <= 1
