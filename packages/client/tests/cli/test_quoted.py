"""`--quote`: the price first, the work only when somebody says so."""

import json
from collections.abc import Callable

import pytest

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import ANSWER, FakeGateway, reply

Monkey = Callable[..., Ran]
Person = Callable[[str], None]


def test_without_anybody_to_ask_the_price_is_all(monkey: Monkey, gateway: FakeGateway) -> None:
    ran = monkey("implement", "create a REST API", "--quote")
    assert ran.code == 0
    assert "openai/gpt-5-mini" in ran.out
    assert "$0.25" in ran.out
    assert [seen.path for seen in gateway.seen] == ["/v1/quote"]


def test_programs_read_the_quote_and_nothing_runs(monkey: Monkey, gateway: FakeGateway) -> None:
    ran = monkey("implement", "create a REST API", "--quote", "--json")
    assert json.loads(ran.out)["quote_id"] == "quote_1"
    assert [seen.path for seen in gateway.seen] == ["/v1/quote"]


def test_a_yes_runs_the_very_task_under_its_quote(monkey: Monkey, gateway: FakeGateway, person: Person) -> None:
    person("y\n")
    ran = monkey("implement", "create a REST API", "--quote", "--model", "auto:cheap")
    assert (ran.code, ran.out) == (0, ANSWER)
    assert "Go on, for $0.25 at most?" in ran.err
    asked, run = (seen.body for seen in gateway.seen)
    assert run.pop("quote_id") == "quote_1"
    assert {**run, "task_id": None} == {**asked, "task_id": None}


def test_a_no_runs_nothing(monkey: Monkey, gateway: FakeGateway, person: Person) -> None:
    person("n\n")
    ran = monkey("implement", "create a REST API", "--quote")
    assert (ran.code, ran.out) == (0, "")
    assert "Nothing was run and nothing charged." in ran.err
    assert [seen.path for seen in gateway.seen] == ["/v1/quote"]


@pytest.mark.parametrize("flags", [(), ("--max-cost", "0.5")])
def test_a_request_that_outgrew_its_quote_is_code_3(
    monkey: Monkey, gateway: FakeGateway, person: Person, flags: tuple[str, ...]
) -> None:
    person("y\n")
    refusal = {"error_code": "budget_exceeded", "detail": "It can cost more.", "limit_usd": "0.25"}
    gateway.on("/v1/execute/stream", reply(refusal, status=402))
    assert monkey("implement", "x", "--quote", *flags).code == 3
