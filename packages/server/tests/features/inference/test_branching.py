"""Several arms for one answer: held together, cancelled once one is enough, each paid for openly, nothing overspent."""

import asyncio
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.errors import FailureKind, Unavailable
from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.domain.model_rules import ModelRule
from monkey_coder_server.domain.money import parse_usd
from monkey_coder_server.features.inference.attempt import AttemptSettings
from monkey_coder_server.ports.ledger import FailedRequest, Hold, Settlement
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import KEY, Answer, Gateway
from packages.server.tests.features.inference.world import Script

PROVIDERS = ("openai", "anthropic", "google")
PATHS = ["/v1/execute", "/v1/execute/stream"]
RULES = ["first_success", "cheapest_valid", "best_score", "consensus", "weighted", "vote", "weighted_average"]
BROKEN = "```python path=app.py\ndef (:\n```\n"
"""Whose syntax check fails."""


def script_of(provider: str, text: str = wires.TEXT, **figures: int) -> Script:
    made = {"openai": wires.openai_stream, "anthropic": wires.anthropic_stream, "google": wires.gemini_stream}
    return made[provider](text, **figures)


def world(**texts: str) -> Gateway:
    gateway = Gateway()
    for provider in PROVIDERS:
        gateway.wire.play(provider, script_of(provider, texts.get(provider, wires.TEXT)))
    return gateway


async def ask(gateway: Gateway, path: str = "/v1/execute", *, config: dict[str, Any], **fields: Any) -> Answer:
    return await gateway.ask(path, orchestration_config=config, max_tokens=None, **fields)


def said(answer: Answer, path: str) -> dict[str, Any]:
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.json if path == "/v1/execute" else answer.frames[-1]["data"]
    return body


def ran(answer: Answer, path: str = "/v1/execute") -> dict[str, Any]:
    told: dict[str, Any] = said(answer, path)["orchestration_execution"]
    return told


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("rule", RULES)
async def test_every_rule_keeps_one_answer_and_its_charge_is_the_sum_of_its_branches(rule: str, path: str) -> None:
    gateway = world()
    answer = await ask(gateway, path, config={"collapse_strategy": rule, "execution_branches": 3})
    told, body = ran(answer, path), said(answer, path)
    assert body["result"]["result"] == wires.TEXT
    assert [each["kept"] for each in told["branches"]] == [True] + [False] * (told["branches_run"] - 1)
    [(settled, _)] = gateway.books.settled.values()
    assert settled.price == sum(branch.price for branch in settled.branches)
    assert settled.price == sum(parse_usd(each["cost_usd"]) for each in told["branches"])
    assert settled.provider_cost == sum(bill.cost for bill in settled.bills)
    assert settled.usage.total == body["usage"]["tokens_used"] == sum(body["usage"]["provider_breakdown"].values())
    assert not gateway.books.open
    assert all(reply.closed for reply in gateway.wire.replies)
    if path == "/v1/execute/stream":
        assert answer.text == wires.TEXT


async def test_the_first_that_passes_cancels_the_rest_and_is_kept() -> None:
    gateway = world()
    for slow in ("openai", "google"):
        gateway.wire.play(slow, Script(delay=5.0))
    answer = await asyncio.wait_for(ask(gateway, config={"collapse_strategy": "first_success"}), 3)
    told = ran(answer)
    assert told["mode"] == "parallel"
    assert told["branches"][0]["provider"] == "anthropic"
    assert [each["outcome"] for each in told["branches"]] == ["served", "stopped", "stopped"]
    assert [each["cost_usd"] for each in told["branches"][1:]] == ["0.00", "0.00"]


async def test_a_loser_is_paid_for_as_far_as_it_had_answered_and_says_so_on_the_receipt() -> None:
    gateway = world()
    slow = script_of("openai", "word " * 200)
    slow.gap = 0.01
    gateway.wire.play("openai", slow)
    quick = script_of("anthropic")
    quick.delay = 0.2
    gateway.wire.play("anthropic", quick)
    config = {"collapse_strategy": "first_success", "execution_branches": 2}
    answer = await ask(gateway, config=config, preferred_providers=["openai", "anthropic"])
    [(settled, _)] = gateway.books.settled.values()
    kept, loser = settled.branches
    assert (kept.provider, loser.provider) == ("anthropic", "openai")
    assert loser.usage.estimated
    assert 0 < loser.price < settled.price
    assert ran(answer)["branches"][1]["outcome"] == "stopped"


async def test_the_cheapest_is_asked_first_and_the_next_only_when_it_does_not_pass() -> None:
    gateway = world(openai=BROKEN)
    config = {"collapse_strategy": "cheapest_valid", "execution_branches": 2}
    told = ran(
        await ask(
            gateway,
            config=config,
            model_preferences={"openai": "gpt-small", "anthropic": "claude-big"},
            preferred_providers=["openai", "anthropic"],
        )
    )
    assert told["mode"] == "sequential"
    assert [each["model"] for each in told["branches"]] == ["claude-big", "gpt-small"]
    assert told["branches"][1]["failed_checks"] == ["syntax"]
    assert told["rule_met"]
    assert [sent[0] for sent in gateway.wire.sent] == ["openai", "anthropic"]
    happy = world()
    told = ran(await ask(happy, config=config, preferred_providers=["openai", "anthropic"]))
    assert told["branches_run"] == 1
    assert len(happy.wire.sent) == 1


async def test_where_no_answer_passes_one_is_kept_all_the_same_and_that_is_said() -> None:
    gateway = world(openai=BROKEN, anthropic=BROKEN, google=BROKEN)
    told = ran(await ask(gateway, config={"collapse_strategy": "first_success"}))
    assert not told["rule_met"]
    assert told["branches_run"] == 3


async def test_what_two_of_three_say_is_the_consensus() -> None:
    gateway = world(openai="one thing\n", anthropic="another\n", google="another\n")
    config = {"collapse_strategy": "consensus", "consensus_threshold": 0.6}
    answer = await ask(gateway, config=config, task_type="chat")
    assert answer.json["result"]["result"] == "another\n"
    assert ran(answer)["rule_met"]


@pytest.mark.parametrize("how", ["body", "header", "key", "team"])
async def test_a_vote_is_asked_for_by_body_header_key_and_team(how: str) -> None:
    gateway = world(openai="It is 41.\n", anthropic="**42**\n", google="The answer is 42.\n")
    if how == "key":
        gateway.key = replace(KEY, collapse="vote")
    if how == "team":
        gateway.rules = (ModelRule(Holder(HolderKind.TEAM, "team_1"), collapse="vote"),)
    headers = {"x-mk-collapse": "vote"} if how == "header" else {}
    config = {"orchestration_config": {"collapse_strategy": "vote"}} if how == "body" else {}
    answer = await gateway.ask("/v1/execute", headers=headers, max_tokens=None, task_type="chat", **config)
    told = ran(answer)
    assert (told["rule"], told["rule_met"], answer.headers["x-monkey-collapse"]) == ("vote", True, "vote")
    assert "42" in answer.json["result"]["result"]
    [(settled, _)] = gateway.books.settled.values()
    assert settled.price == sum(branch.price for branch in settled.branches)


async def test_a_vote_among_as_many_is_no_majority_and_that_is_said() -> None:
    gateway = world(openai="41\n", anthropic="42\n", google="43\n")
    told = ran(await ask(gateway, config={"collapse_strategy": "vote"}, task_type="chat"))
    assert (told["rule_met"], told["branches_run"], told["agreement"]) == (False, 3, 0.3333)


async def test_a_single_model_is_asked_several_times() -> None:
    gateway = world()
    told = ran(await ask(gateway, config={"execution_branches": 3}, model="openai/gpt-big"))
    assert [each["model"] for each in told["branches"]] == ["gpt-big"] * 3


async def test_one_arm_is_asked_where_the_leading_one_is_believed_in_enough() -> None:
    gateway = world()
    gateway.wire.play("openai", wires.openai())
    gateway.wire.play("anthropic", wires.anthropic())
    gateway.wire.play("google", wires.gemini())
    told = ran(await ask(gateway, config={"execution_branches": 3, "uncertainty_threshold": 1.0}))
    assert (told["mode"], told["branches_run"]) == ("single", 1)
    assert "believed in enough" in told["note"]


@pytest.mark.parametrize("path", PATHS)
async def test_where_every_arm_fails_nobody_is_charged(path: str) -> None:
    gateway = Gateway()
    for provider in PROVIDERS:
        gateway.wire.play(provider, Script(before=FailureKind.CONNECTION))
    answer = await ask(gateway, path, config={"execution_branches": 3})
    assert answer.status == 502 or answer.frames[-1]["type"] == "error"
    assert not gateway.books.settled
    assert len(gateway.books.voided) == 1
    assert not gateway.books.open


async def test_an_arm_that_fails_leaves_the_answer_to_the_others() -> None:
    gateway = world()
    gateway.wire.play("openai", Script(before=FailureKind.CONNECTION))
    told = ran(await ask(gateway, config={"collapse_strategy": "best_score"}))
    failed = [each for each in told["branches"] if each["outcome"] == "failed"]
    assert [each["provider"] for each in failed] == ["openai"]
    assert failed[0]["cost_usd"] == "0.00"


async def test_arms_give_back_their_providers_places_whatever_becomes_of_them() -> None:
    gateway = Gateway(attempt=AttemptSettings(pause=0.001, longest_pause=0.2, places=2, line=0))
    for provider in PROVIDERS:
        gateway.wire.play(provider, script_of(provider))
    slow = script_of("openai", "word " * 50)
    slow.gap = 0.01
    gateway.wire.play("openai", slow)
    for _ in range(6):
        told = ran(await ask(gateway, config={"collapse_strategy": "first_success"}))
        assert [each["outcome"] for each in told["branches"]].count("failed") == 0


async def test_at_the_deadline_the_answers_there_are_must_do() -> None:
    gateway = world()
    gateway.wire.play("openai", Script(delay=60.0))
    answer = await ask(gateway, config={"collapse_strategy": "best_score"}, context={"timeout": 1})
    assert [each["outcome"] for each in ran(answer)["branches"]].count("stopped") == 1


async def test_without_any_answer_in_time_nobody_is_charged() -> None:
    gateway = Gateway()
    for provider in PROVIDERS:
        gateway.wire.play(provider, Script(delay=60.0))
    answer = await ask(gateway, config={"execution_branches": 2}, context={"timeout": 1})
    assert answer.status == 504
    assert not gateway.books.settled
    assert not gateway.books.open


async def test_a_defect_stops_every_arm_and_frees_the_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("monkey_coder_server.features.inference.arms.verdict", broken)
    gateway = world()
    answer = await ask(gateway, config={"execution_branches": 3})
    assert answer.status == 500
    assert not gateway.books.open
    [failed] = gateway.books.voided.values()
    assert failed.provider_cost == sum(bill.cost for bill in failed.bills) > 0, "what providers bill is the house's"
    assert all(reply.closed for reply in gateway.wire.replies)


async def test_what_cannot_be_put_on_disk_before_it_leaves_is_not_charged_and_the_house_bears_every_arm() -> None:
    gateway = world()
    durable = gateway.books.durable

    async def full(hold: Hold) -> None:
        if any(isinstance(draft, Settlement) for draft in drafts):
            raise Unavailable("the disk is full", retry_after=1.0)
        await durable(hold)

    drafts: list[Settlement | FailedRequest] = []
    note = gateway.books.underway

    def underway(hold: Hold, draft: Settlement | FailedRequest) -> None:
        drafts.append(draft)
        note(hold, draft)

    gateway.books.underway = underway  # type: ignore[method-assign] - the same books, listened to
    gateway.books.durable = full  # type: ignore[method-assign] - the same books on a full disk
    config = {"collapse_strategy": "best_score", "execution_branches": 3}
    answer = await ask(gateway, "/v1/execute/stream", config=config)
    assert answer.status == 503 or answer.frames[-1]["type"] == "error"
    assert not gateway.books.settled
    [failed] = gateway.books.voided.values()
    assert len(failed.bills) == 3
    assert failed.provider_cost == sum(bill.cost for bill in failed.bills)


async def test_what_is_held_covers_all_arms_together_and_a_limit_asks_fewer() -> None:
    gateway = world()
    held: list[int] = []
    gateway.wire.before_send = lambda: held.append(gateway.books.held)
    answer = await ask(gateway, config={"execution_branches": 3}, context={"max_tokens": 1_000})
    [(settled, _)] = gateway.books.settled.values()
    assert held[0] == parse_usd(answer.json["result"]["metadata"]["held_usd"]) >= settled.price
    dear = max(branch.price for branch in settled.branches)
    assert held[0] > 2 * dear
    limit = f"{held[0] * 2 // 3 / 10**9:.9f}"
    fewer = ran(await ask(gateway, config={"execution_branches": 3}, context={"max_tokens": 1_000}, max_cost=limit))
    assert fewer["branches_run"] == 2


@pytest.mark.parametrize("rule", ["best_score", "vote"])
async def test_a_quote_promises_the_sum_of_all_arms_and_binds_it(rule: str) -> None:
    gateway = world(openai="41\n", anthropic="42\n", google="43\n")
    config = {"collapse_strategy": rule, "execution_branches": 3}
    quote = (await ask(gateway, "/v1/quote", config=config)).json
    assert len(quote["routes"]) == 3
    assert parse_usd(quote["maximum_usd"]) == sum(parse_usd(each["maximum_usd"]) for each in quote["routes"])
    assert parse_usd(quote["expected_usd"]) == sum(parse_usd(each["expected_usd"]) for each in quote["routes"])
    answer = await ask(gateway, config=config, quote_id=quote["quote_id"])
    assert ran(answer)["branches_run"] == 3
    assert parse_usd(answer.headers["x-monkey-cost"]) <= parse_usd(quote["maximum_usd"])


async def test_a_repeat_gets_the_same_answer_and_pays_nothing() -> None:
    gateway = world()
    config = {"execution_branches": 2}
    first = await ask(gateway, config=config, task_id="t1")
    sent = len(gateway.wire.sent)
    again = await ask(gateway, config=config, task_id="t1")
    assert again.body == first.body
    assert len(gateway.wire.sent) == sent


async def test_every_call_is_in_the_books_with_what_runs_beside_it_before_it_is_made() -> None:
    gateway = world()
    drafts: list[int] = []
    note = gateway.books.underway

    def underway(hold: Hold, draft: Settlement | FailedRequest) -> None:
        drafts.append(len(draft.bills))
        note(hold, draft)

    gateway.books.underway = underway  # type: ignore[method-assign] - the same books, listened to
    await ask(gateway, config={"execution_branches": 3})
    assert drafts == [1, 2, 3]


class Drawn(NamedTuple):
    """What may differ from one run to the next."""

    rule: str
    branches: int
    parallel: bool
    delays: list[float]
    broken: set[str]
    dead: set[str]
    balance: int


DRAWN = st.builds(
    Drawn,
    rule=st.sampled_from(RULES),
    branches=st.integers(2, 5),
    parallel=st.booleans(),
    delays=st.lists(st.sampled_from([0.0, 0.001, 0.003]), min_size=3, max_size=3),
    broken=st.sets(st.sampled_from(PROVIDERS)),
    dead=st.sets(st.sampled_from(PROVIDERS)),
    balance=st.integers(10_000_000, 2_000_000_000),
)


@settings(max_examples=40, deadline=None)
@given(drawn=DRAWN)
async def test_under_every_interleaving_no_more_is_charged_than_held_and_nothing_stays_open(drawn: Drawn) -> None:
    gateway = Gateway(balance=drawn.balance)
    for provider, delay in zip(PROVIDERS, drawn.delays, strict=True):
        script = script_of(provider, BROKEN if provider in drawn.broken else wires.TEXT)
        script.delay = delay
        gateway.wire.play(provider, Script(before=FailureKind.CONNECTION) if provider in drawn.dead else script)
    held: list[int] = []
    gateway.wire.before_send = lambda: held.append(gateway.books.held)
    config = {
        "collapse_strategy": drawn.rule,
        "execution_branches": drawn.branches,
        "parallel_futures": drawn.parallel,
    }
    await ask(gateway, config=config, context={"max_tokens": 300})
    await gateway.settle_down()
    assert not gateway.books.open
    assert not gateway.notes.defects
    for settled, charge in gateway.books.settled.values():
        assert settled.price == sum(branch.price for branch in settled.branches) or not settled.branches
        assert charge.loss == 0
        assert charge.charged == settled.price <= held[0] <= drawn.balance
