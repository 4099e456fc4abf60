"""A cascade over a gateway and its simulated providers: single until outcomes show the checks to be of use."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.conftest import running_gateway
from tests.contract_http import Answer, Outsider, newcomer

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]
ASKING = {"x-mk-collapse": "cascade"}
PROMPT = "Create a function that adds two numbers [[sandbox text='```python path=add.py\n{file}\n```']]"
WORKS = PROMPT.format(file="def add(one, other):\n    return one + other")
BROKEN = PROMPT.format(file="def (:")
"""What every model answers with a file that does not parse."""
MOST = 80


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outsider]:
    with running_gateway(tmp_path_factory.mktemp("cascade")) as running:
        yield newcomer(running.base_url)


def ask(user: Outsider, prompt: str, number: int) -> Answer:
    body = {"task_type": "code_generation", "prompt": prompt, "model": "auto", "context": {"max_tokens": 500 + number}}
    return user.post("/v1/execute", body, headers=ASKING)


def test_outcomes_make_the_checks_useful_and_then_a_cascade_runs_and_escalates(user: Outsider) -> None:
    ran = "single"
    for number in range(MOST):
        good = number % 2 == 0
        answer = ask(user, WORKS if good else BROKEN, number)
        assert answer.status == 200, answer.raw
        ran = answer.headers["x-monkey-collapse"]
        if ran == "cascade" and not good:
            break
        outcome = "tests_passed" if good else "tests_failed"
        user.post("/v1/feedback", {"request_id": answer.body["execution_id"], "outcome": outcome})
    assert ran == "cascade", answer.body["result"]["quantum_collapse_info"]["sequence"]
    told = answer.body["orchestration_execution"]
    assert told["branches_run"] > 1, "what does not parse is not enough"
    assert not told["rule_met"]
    assert [each["failed_checks"] for each in told["branches"]] == [["syntax"]] * told["branches_run"]
    assert sum(Decimal(each["cost_usd"]) for each in told["branches"]) == Decimal(answer.headers["x-monkey-cost"])
    planned = answer.body["result"]["quantum_collapse_info"]["sequence"]
    assert planned["check"]["useful"]
