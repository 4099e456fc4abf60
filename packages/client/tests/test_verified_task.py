"""A task checked by its user, on both clients: what is asked next, what it may cost, and what the gateway is told."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from monkey_coder import BudgetExceededError, Execution, FileData, Verification, VerifiedTask
from packages.client.tests.fake_gateway import Answer, FakeGateway, error, execution, reply

RED, GREEN = Verification("make", 1, 0.5, "E  no"), Verification("make", 0, 0.5, "")


def answer(number: int, cost: str | None = "0.01") -> Answer:
    body = execution()
    body["result"]["metadata"] |= {"request_id": f"req_{number}", "cost_usd": cost}
    return reply(body)


def checking(connected: Any, *verdicts: Verification) -> Callable[[Execution], Any]:
    """The user's check by script, awaitable for the asynchronous client."""
    left = list(verdicts)

    async def later(_: Execution) -> Verification:
        return left.pop(0)

    def at_once(_: Execution) -> Verification:
        return left.pop(0)

    return at_once if type(connected).__name__ == "Client" else later


def sent(gateway: FakeGateway, path: str = "/v1/execute") -> list[Any]:
    return [seen.body for seen in gateway.seen if seen.path == path]


def test_it_asks_on_until_an_answer_passes_and_tells_how_the_last_one_ended(
    connect: Callable[..., Any], gateway: FakeGateway
) -> None:
    client = connect()
    gateway.on("/v1/execute", answer(1), answer(2), answer(3))
    check = checking(client, RED, RED, GREEN)
    task = client.execute_verified("do it", check, files=[FileData("a.py", "x")], max_cost="0.05", task_id="t")
    assert task.passed
    assert (task.cost_usd, task.left) == (Decimal("0.03"), Decimal("0.02"))
    first, second, third = sent(gateway)
    assert (first["verifier"], first["max_cost"], first["task_id"]) == ("tests", "0.05", "t")
    assert first["orchestration_config"] == {"collapse_strategy": "cascade", "execution_branches": 3}
    assert "escalation" not in first
    assert (second["escalation"]["failed"], second["max_cost"]) == (["req_1"], "0.04")
    assert (third["escalation"]["failed"], third["max_cost"]) == (["req_1", "req_2"], "0.03")
    assert third["prompt"].startswith("do it\n")
    assert {file["path"] for file in third["files"]} == {"a.py", "main.py", "app/core.py"}
    assert len({body["task_id"] for body in (first, second, third)}) == 3
    passed = {"request_id": "req_3", "outcome": "tests_passed", "verifier": "tests"}
    assert sent(gateway, "/v1/feedback") == [passed]


def test_it_stops_after_so_many_answers_and_tells_that_the_last_one_failed(
    connect: Callable[..., Any], gateway: FakeGateway
) -> None:
    client = connect()
    gateway.on("/v1/execute", answer(1), answer(2))
    task = client.execute_verified("do it", checking(client, RED, RED), answers=2, verifier="build")
    assert not task.passed
    assert (len(task.rounds), task.left) == (2, None)
    failed = {"request_id": "req_2", "outcome": "tests_failed", "verifier": "build"}
    assert sent(gateway, "/v1/feedback") == [failed]


def test_a_single_answer_is_no_cascade(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    client = connect()
    gateway.on("/v1/execute", answer(1))
    client.execute_verified("do it", checking(client, RED), answers=1)
    assert "verifier" not in sent(gateway)[0]


@pytest.mark.parametrize("cost", [None, "0.02"])
def test_it_stops_when_nothing_is_left_or_nobody_knows_what_is(
    connect: Callable[..., Any], gateway: FakeGateway, cost: str | None
) -> None:
    client = connect()
    gateway.on("/v1/execute", answer(1, cost))
    task = client.execute_verified("do it", checking(client, RED), max_cost=Decimal("0.02"))
    assert (len(task.rounds), task.stopped) == (1, None)


def test_a_later_answer_that_cannot_be_had_keeps_what_there_is(
    connect: Callable[..., Any], gateway: FakeGateway
) -> None:
    client = connect()
    gateway.on("/v1/execute", answer(1), error(402, "budget_exceeded"))
    gateway.on("/v1/feedback", error(404, "not_found"))
    task = client.execute_verified("do it", checking(client, RED))
    assert isinstance(task.stopped, BudgetExceededError)
    assert sent(gateway, "/v1/feedback")[0]["outcome"] == "tests_failed"


def test_the_first_answer_that_cannot_be_had_is_raised(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    client = connect()
    gateway.on("/v1/execute", error(402, "budget_exceeded"))
    with pytest.raises(BudgetExceededError):
        client.execute_verified("do it", checking(client))


def test_an_answer_without_a_name_is_not_told_of(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    client = connect()
    body = execution()
    body["result"]["metadata"]["request_id"] = None
    gateway.on("/v1/execute", reply(body))
    task = client.execute_verified("do it", checking(client, RED), answers=1)
    assert (list(task.failed), sent(gateway, "/v1/feedback")) == ([], [])


def test_nothing_is_passed_before_there_is_an_answer() -> None:
    task = VerifiedTask("do it", {})
    assert not task.passed
    assert not task.over
    assert json.dumps(task.request()[1]) == '{"verifier": "tests", "answers": 3}'


def test_where_several_are_to_answer_at_once_nothing_is_planned_and_every_failure_is_told(
    connect: Callable[..., Any], gateway: FakeGateway
) -> None:
    client = connect()
    gateway.on("/v1/execute", answer(1), answer(2))
    client.execute_verified("do it", checking(client, RED, GREEN), collapse="vote", branches=3)
    for body in sent(gateway):
        assert body["orchestration_config"] == {"collapse_strategy": "vote", "execution_branches": 3}
        assert not {"verifier", "escalation"} & body.keys()
    assert [each["outcome"] for each in sent(gateway, "/v1/feedback")] == ["tests_failed", "tests_passed"]
