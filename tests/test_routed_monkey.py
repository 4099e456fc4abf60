"""`monkey` against the real gateway: weights choose the model, several models vote, agents work together."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RunningGateway
from tools.processes import BIN

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]
ANSWERED = "What is 40 and 2? [[sandbox text='It is 42.']]"
Asked = Callable[..., dict[str, Any]]


@pytest.fixture
def monkey(gateway: RunningGateway, tmp_path: Path) -> Asked:
    environment: Mapping[str, str] = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "MONKEY_CODER_BASE_URL": gateway.base_url,
        "MONKEY_CODER_API_KEY": gateway.api_key,
    }

    def run(*arguments: str, **more: str) -> dict[str, Any]:
        done = subprocess.run(
            [str(BIN / "monkey"), *arguments, "--json"],
            cwd=tmp_path,
            env={**environment, **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run


def test_weights_choose_the_model_and_the_answer_says_whose_they_were(monkey: Asked) -> None:
    cheap = monkey("quote", "create a REST API", "--weights", "cost=1")
    best = monkey("quote", "create a REST API", "--weights", "quality=1")
    assert Decimal(cheap["expected_usd"]) < Decimal(best["expected_usd"])
    told = monkey("implement", "create a REST API", "--weights", "cost=1")["result"]["quantum_collapse_info"]
    assert (told["weights"]["cost"], told["weights_from"]) == (100, "request")


def test_the_weights_of_a_key_count_where_a_request_has_none(monkey: Asked) -> None:
    key = monkey("keys", "create", "cheap", "--weights", "cost=1,quality=1")
    assert key["weights"] == {"quality": 50, "cost": 50, "latency": 0}
    told = monkey("explain", __file__, MONKEY_CODER_API_KEY=key["key"])["result"]["quantum_collapse_info"]
    assert (told["weights"]["quality"], told["weights_from"]) == (50, "key")


def test_several_models_vote_and_each_is_told_with_its_price(monkey: Asked) -> None:
    answer = monkey("chat", ANSWERED, "--collapse", "vote", "--branches", "3", "--max-cost", "2")
    ran = answer["orchestration_execution"]
    assert (ran["rule"], ran["rule_met"]) == ("vote", True)
    prices = [Decimal(each["cost_usd"]) for each in ran["branches"]]
    assert sum(prices) == Decimal(answer["result"]["metadata"]["cost_usd"])


def test_agents_work_as_they_are_told(monkey: Asked) -> None:
    team = ("--agents", "2", "--coordination", "parallel", "--reflections", "1", "--max-tokens", "300")
    worked = monkey("implement", "create a REST API", *team)["monkey1_orchestration"]
    assert (worked["agents"], worked["strategy"], worked["reflections_asked"]) == (2, "parallel", 1)
