"""Cascades whose caller checks the answers: cheapest first, on after each failure, and single behind useless checks."""

import json
from typing import Any

import pytest

from monkey_coder_server.domain.bandit.evidence import Tally
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.money import parse_usd, usd
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Answer, Gateway
from packages.server.tests.features.inference.test_branching import PROVIDERS, script_of
from packages.server.tests.features.inference.test_cascade import DIALECTS, PATHS, WHOLE, debugged
from packages.server.tests.features.inference.test_quote_debug_feedback import feedback
from packages.server.tests.features.inference.world import ACCOUNT, Script, Sums

FIRST = {"verifier": "tests"}


def told(right: float, wrong: float, *, account: str = ACCOUNT) -> Sums:
    """What was learnt of tests that passed these shares of right and wrong answers."""
    sums, passed = Sums(), (right + wrong) / 2
    for place, share in (("right", right), ("wrong", wrong), ("seen", passed)):
        sums.kept[("implement", "", account), f"tests {place}"] = Tally(200.0, 200.0 * share)
    return sums


async def world(verdicts: Sums | None = None, *, path: str = "/v1/execute", **facts: Any) -> Gateway:
    gateway = Gateway(verdicts=verdicts, balance=10**12, **facts)
    for provider in PROVIDERS:
        gateway.wire.play(provider, script_of(provider) if "stream" in path else WHOLE[provider]())
    assert gateway.feature.start is not None
    await gateway.feature.start()
    return gateway


def body_of(answer: Answer, path: str = "/v1/execute") -> dict[str, Any]:
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.json if path == "/v1/execute" else answer.frames[-1]["data"]
    return body


def id_of(answer: Answer, path: str = "/v1/execute") -> str:
    name: str = body_of(answer, path)["execution_id"]
    return name


def model_of(answer: Answer, path: str = "/v1/execute") -> str:
    metadata = body_of(answer, path)["result"]["metadata"]
    return f"{metadata['provider']}/{metadata['model']}"


def sequence(answer: Answer, path: str = "/v1/execute") -> dict[str, Any]:
    said: dict[str, Any] = body_of(answer, path)["result"]["quantum_collapse_info"]["sequence"]
    return said


def after(*failed: str, verifier: str = "tests") -> dict[str, Any]:
    return {"escalation": {"failed": list(failed), "verifier": verifier}}


async def verified(gateway: Gateway, check: str = "tests") -> dict[str, Any]:
    standing: dict[str, Any] = (await debugged(gateway, orchestration_config=None))["verification"][check]
    return standing


@pytest.mark.parametrize("path", PATHS)
async def test_the_cheap_arm_fails_its_callers_tests_and_the_next_of_the_plan_answers(path: str) -> None:
    gateway = await world(path=path)
    first = await gateway.ask(path, **FIRST)
    planned = sequence(first, path)
    assert (planned["asked"], planned["ran"]) == ("cascade", "cascade")
    assert planned["round"].pop("success") > 0.5
    assert planned["round"] == {"number": 1, "failed": [], "planned": model_of(first, path)}
    assert model_of(first, path) != planned["strongest_model"], "cheapest first"
    assert planned["check"]["verifier"] == "tests"
    assert planned["check"]["stated"] == "assumed"
    assert first.headers["x-monkey-collapse"] == "cascade"
    second = await gateway.ask(path, prompt="create a REST API; the tests said: red", **after(id_of(first, path)))
    again = sequence(second, path)
    assert again["round"]["number"] == 2
    assert again["round"]["failed"] == [{"request_id": id_of(first, path), "model": model_of(first, path)}]
    assert model_of(second, path) == again["round"]["planned"] != model_of(first, path)
    if "stream" in path:
        assert second.text == wires.TEXT
    assert len(gateway.wire.sent) == 2
    for settled, charge in gateway.books.settled.values():
        assert charge.charged == settled.price
        assert settled.provider_cost == sum(bill.cost for bill in settled.bills)
        assert not settled.branches
    assert not gateway.books.open
    await gateway.settle_down()


async def test_only_the_arm_that_answers_is_held() -> None:
    gateway = await world()
    held: list[int] = []
    gateway.wire.before_send = lambda: held.append(gateway.books.held)
    quote = (await gateway.ask("/v1/quote", **FIRST)).json
    answer = await gateway.ask(quote_id=quote["quote_id"], **FIRST)
    assert quote["route"] == model_of(answer)
    assert held == [max(parse_usd(each["maximum_usd"]) for each in quote["routes"][:3])]
    assert parse_usd(quote["maximum_usd"]) >= held[0]
    await gateway.settle_down()


async def test_a_failure_counts_once_however_often_and_by_whichever_way_it_is_told() -> None:
    gateway = await world()
    first = id_of(await gateway.ask(**FIRST))
    for _ in range(2):
        await gateway.ask("/v1/feedback", body=feedback(request_id=first, outcome="tests_failed"))
        await gateway.ask(**after(first))
        await gateway.ask("/v1/router/debug", **after(first))
    await gateway.ask("/v1/feedback", body=feedback(request_id=first, outcome="rejected"))
    other = await world()
    once = id_of(await other.ask(**FIRST))
    await other.ask(**after(once))
    await other.ask("/v1/feedback", body=feedback(request_id=once, outcome="rejected"))
    for each in (gateway, other):
        await each.settle_down()

    def of_failure(sums: Sums) -> list[tuple[float, float]]:
        return sorted((tally.rows, tally.quality) for (_, arm), tally in sums.kept.items() if arm.startswith("tests"))

    assert of_failure(gateway.verdicts) == of_failure(other.verdicts)


async def test_asking_for_a_price_counts_nothing() -> None:
    gateway = await world()
    first = id_of(await gateway.ask(**FIRST))
    await gateway.ask("/v1/quote", **after(first))
    await gateway.ask("/v1/router/debug", **after(first))
    await gateway.settle_down()
    assert not any(arm == "tests seen" for _, arm in gateway.verdicts.kept)


async def test_requests_of_others_and_of_nobody_are_refused_and_name_the_id() -> None:
    gateway = await world()
    theirs = id_of(await gateway.ask(account="acct_2", **FIRST))
    for name in (theirs, "req_nowhere"):
        refused = await gateway.ask(**after(name))
        assert (refused.status, refused.json["error_code"]) == (404, "not_found")
        assert name in refused.json["message"]
    assert len(gateway.wire.sent) == 1
    await gateway.settle_down()
    assert not any(arm == "tests seen" for _, arm in gateway.verdicts.kept)


async def test_what_is_of_another_task_is_refused() -> None:
    gateway = await world()
    first, other = id_of(await gateway.ask(**FIRST)), id_of(await gateway.ask(prompt="another", **FIRST))
    refused = await gateway.ask(**after(first, other))
    assert refused.status == 400
    assert "of another task" in refused.json["message"]
    kind = await gateway.ask(task_type="testing", **after(first))
    assert kind.status == 400
    assert "task_type code_generation" in kind.json["message"]
    second = id_of(await gateway.ask(**after(first)))
    assert sequence(await gateway.ask(**after(first, second)))["round"]["number"] == 3
    await gateway.settle_down()


BAD: list[tuple[dict[str, Any], str]] = [
    ({"verifier": "prayer"}, "must be one of tests, build, lint"),
    (after("req_1", verifier="prayer"), "must be one of tests, build, lint"),
    ({"escalation": {"failed": []}}, "must name 1 to 8"),
    ({"escalation": {"failed": ["a", "a"]}}, "each once"),
    ({"escalation": {"failed": [""]}}, "printable"),
    ({"verifier": "lint", **after("req_1")}, "name two checks"),
    ({**FIRST, "orchestration_config": {"collapse_strategy": "race"}}, "`cascade`"),
    ({**FIRST, "orchestration_config": {"collapse_strategy": "cascade", "execution_branches": 1}}, "two models"),
    ({**FIRST, "orchestration_config": {"agent_count": 3}}, "Several agents"),
]


@pytest.mark.parametrize(("fields", "words"), BAD)
async def test_what_does_not_fit_is_refused_in_a_sentence(fields: dict[str, Any], words: str) -> None:
    gateway = await world()
    refused = await gateway.ask(**fields)
    assert refused.status == 400
    assert words in refused.json["message"]
    assert not gateway.wire.sent


@pytest.mark.parametrize("check", ["build", "tests"])
async def test_behind_a_useless_check_one_model_answers_and_the_strongest_of_the_others_after_it(check: str) -> None:
    gateway = await world(told(0.8, 0.75))
    first = await gateway.ask(verifier=check)
    planned = sequence(first)
    assert planned["ran"] == "single"
    assert "tell right answers from wrong ones" in planned["reason"]
    assert not planned["check"]["useful"]
    assert planned["reason"] in body_of(first)["orchestration_execution"]["note"]
    second = await gateway.ask(**after(id_of(first), verifier=check))
    assert sequence(second)["ran"] == "single"
    candidates = (await debugged(gateway, orchestration_config=None))["candidates"]
    others = {each["model"]: float(each["success"]) for each in candidates if each["model"] != model_of(first)}
    assert model_of(second) == max(others, key=others.__getitem__)
    await gateway.settle_down()


async def test_once_no_other_is_worth_its_cost_the_strongest_left_answers_and_that_is_said() -> None:
    gateway = await world()
    failed: list[str] = []
    models: list[str] = []
    reasons: list[str] = []
    for _ in range(5):
        answer = await gateway.ask(**(after(*failed) if failed else FIRST))
        failed.append(id_of(answer))
        models.append(model_of(answer))
        reasons.append(sequence(answer).get("reason", ""))
    assert len(set(models)) == 4, "each is asked before any is asked again"
    assert "worth its cost after these failures" in reasons[-1]
    await gateway.settle_down()


async def test_a_provider_that_fails_is_passed_over_for_one_that_was_not_asked() -> None:
    gateway = await world()
    first = await gateway.ask(**FIRST)
    planned = (await gateway.ask("/v1/router/debug", **after(id_of(first)))).json
    lead = planned["debug_info"]["metadata"]["sequence"]["round"]["planned"]
    gateway.wire.play(lead.partition("/")[0], Script(before=FailureKind.CONNECTION))
    second = await gateway.ask(**after(id_of(first)))
    assert model_of(second) not in {lead, model_of(first)}
    third = await gateway.ask(**after(id_of(first), id_of(second)))
    assert [each["model"] for each in sequence(third)["round"]["failed"]] == [model_of(first), model_of(second)]
    await gateway.settle_down()


async def test_a_pinned_model_is_asked_again() -> None:
    gateway = await world()
    first = await gateway.ask(model="openai/gpt-big", **FIRST)
    second = await gateway.ask(model="openai/gpt-big", **after(id_of(first)))
    assert "only one model" in sequence(second)["reason"]
    assert model_of(second) == "openai/gpt-big"
    await gateway.settle_down()


async def test_the_leading_model_may_be_believed_in_enough_for_the_first_answer() -> None:
    gateway = await world()
    config = {"collapse_strategy": "cascade", "uncertainty_threshold": 0.99}
    first = await gateway.ask(orchestration_config=config, **FIRST)
    assert "believed in enough" in sequence(first)["reason"]
    assert "believed in enough" not in sequence(await gateway.ask(**after(id_of(first)))).get("reason", "")
    await gateway.settle_down()


async def test_max_cost_keeps_the_next_arm_within_what_is_left() -> None:
    gateway = await world()
    context = {"max_tokens": 1_000}
    first = await gateway.ask(context=context, **FIRST)
    routes = (await gateway.ask("/v1/quote", context=context, **after(id_of(first)))).json["routes"]
    dearest, *_, cheapest = sorted((parse_usd(each["maximum_usd"]) for each in routes), reverse=True)
    limit = (cheapest + dearest) // 2
    held: list[int] = []
    gateway.wire.before_send = lambda: held.append(gateway.books.held)
    small = await gateway.ask(context=context, max_cost=usd(limit), **after(id_of(first)))
    assert parse_usd(small.headers["x-monkey-cost"]) <= held[0] <= limit
    refused = await gateway.ask(context=context, max_cost="0.000001", **after(id_of(first)))
    assert (refused.status, refused.json["error_code"]) == (402, "budget_exceeded")
    await gateway.settle_down()


async def test_another_gateway_of_the_same_books_goes_on_with_the_task() -> None:
    kept = Sums()
    one = await world(kept)
    first = await one.ask(**FIRST)
    await one.settle_down()
    two = await world(kept, sums=Sums())
    two.books.settled = one.books.settled
    second = await two.ask(**after(id_of(first)))
    assert model_of(second) != model_of(first)
    assert sequence(second)["round"]["failed"][0]["model"] == model_of(first)
    await two.settle_down()


async def outcome(gateway: Gateway, request_id: str, name: str, **fields: Any) -> None:
    answer = await gateway.ask("/v1/feedback", body=feedback(request_id=request_id, outcome=name, **fields))
    assert answer.status == 200, answer.body


async def test_what_a_person_says_later_is_the_truth_about_tests_and_outlives_the_process() -> None:
    kept = Sums()
    gateway = await world(kept)
    before = await verified(gateway)
    for number in range(12):
        request_id = id_of(await gateway.ask(prompt=f"task {number}", **FIRST))
        await outcome(gateway, request_id, "tests_passed")
        await outcome(gateway, request_id, "rejected")
    learnt = await verified(gateway)
    assert (before["stated"], learnt["wrong_answers_seen"]) == ("assumed", 6.0)
    assert learnt["passes_wrong"] > 0.4 > before["passes_wrong"]
    assert not learnt["useful"]
    assert sequence(await gateway.ask(prompt="and now", **FIRST))["ran"] == "single"
    await gateway.settle_down()
    other = await world(kept)
    assert not (await verified(other))["useful"]
    await other.settle_down()


async def test_the_truth_may_come_first_and_change_and_a_verdict_too() -> None:
    gateway = await world()
    request_id = id_of(await gateway.ask(**FIRST))
    await outcome(gateway, request_id, "accepted")
    await outcome(gateway, request_id, "tests_failed")
    assert (await verified(gateway))["right_answers_seen"] == 0.5
    await outcome(gateway, request_id, "accepted", score=0.4)
    assert (await verified(gateway))["right_answers_seen"] == 0.5, "a score is believed less than what was done"
    await outcome(gateway, request_id, "rejected")
    await outcome(gateway, request_id, "tests_passed", verifier="build")
    learnt = await verified(gateway)
    assert (learnt["right_answers_seen"], learnt["wrong_answers_seen"]) == (0.0, 0.5)
    assert (await verified(gateway, "build"))["wrong_answers_seen"] == 0.5
    await outcome(gateway, request_id, "tests_passed")
    await gateway.settle_down()
    seen = {arm: (tally.rows, tally.quality) for (_, arm), tally in gateway.verdicts.kept.items()}
    assert seen["tests seen"] == (1.0, 1.0)
    assert seen["tests wrong"] == pytest.approx((0.5, 0.5))


async def test_an_accepted_answer_says_faintly_that_those_before_it_were_wrong() -> None:
    gateway = await world()
    first = id_of(await gateway.ask(**FIRST))
    second = id_of(await gateway.ask(**after(first)))
    await outcome(gateway, second, "tests_passed")
    await outcome(gateway, second, "accepted")
    learnt = await verified(gateway)
    assert (learnt["right_answers_seen"], learnt["wrong_answers_seen"]) == (0.5, 0.2)
    await outcome(gateway, second, "rejected")
    assert (await verified(gateway))["wrong_answers_seen"] == 0.5
    await outcome(gateway, second, "accepted")
    await outcome(gateway, first, "accepted")
    assert (await verified(gateway))["right_answers_seen"] == 1.0
    await gateway.settle_down()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_any_dialect_says_it_by_headers(dialect: str, stream: bool) -> None:
    gateway = await world(path="stream" if stream else "")
    whole, streamed, body = DIALECTS[dialect]
    sent = {**body, "model": "auto"} if dialect != "gemini" else body
    if stream and dialect != "gemini":
        sent = {**sent, "stream": True}
    path, payload = streamed if stream else whole, json.dumps(sent).encode()
    first = await gateway.ask(path, body=payload, headers={"x-mk-verifier": "tests"})
    assert (first.status, first.headers["x-monkey-collapse"]) == (200, "cascade"), first.body
    failed = next(iter(gateway.books.settled))
    escalated = {"x-mk-verifier": "tests", "x-mk-failed": failed}
    second = await gateway.ask(path, body=payload, headers=escalated)
    assert second.status == 200, second.body
    assert second.headers["x-monkey-model"] != first.headers["x-monkey-model"]
    unknown = await gateway.ask(path, body=payload, headers={"x-mk-failed": "req_nowhere"})
    assert unknown.status == 404
    assert b"req_nowhere" in unknown.body
    await gateway.settle_down()
    assert {arm: tally.rows for (_, arm), tally in gateway.verdicts.kept.items()}["tests seen"] == 1.0


async def test_vectors_are_not_checked_by_headers() -> None:
    gateway = await world()
    answer = await gateway.ask(
        "/v1/embeddings", body=b'{"model": "openai/embed-small", "input": "x"}', headers={"x-mk-verifier": "tests"}
    )
    assert "x-monkey-collapse" not in answer.headers
    await gateway.settle_down()


async def test_neither_a_draw_nor_a_failure_is_logged_as_the_rankings_choice() -> None:
    gateway = await world()
    first = id_of(await gateway.ask(**FIRST))
    second = id_of(await gateway.ask(**after(first)))
    single = id_of(await gateway.ask(prompt="other", verifier="lint"))
    await gateway.settle_down()
    assert first not in gateway.diary.decisions
    assert second not in gateway.diary.decisions
    assert single in gateway.diary.decisions
