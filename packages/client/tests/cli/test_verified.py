"""`--verify` and `--repair`: files are checked by the user's command, and the next model of a cascade may try."""

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import Answer, FakeGateway, error, events, execution, reply

Monkey = Callable[..., Ran]


def passes_when(words: str) -> str:
    """A command that passes once a file holds the words."""
    code = f"import sys; text = open('main.py').read(); print('saw', text); sys.exit({words!r} not in text)"
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


def answer(content: str, *, provider: str = "openai", cost: str | None = "0.01", request: str = "req_1") -> Any:
    body = execution()
    artifact = {"name": "main.py", "type": "code", "filename": "main.py", "content": content, "language": "python"}
    body["result"]["artifacts"] = [artifact]
    body["result"]["metadata"] |= {"provider": provider, "cost_usd": cost, "request_id": request}
    return reply(body)


def sent(gateway: FakeGateway, path: str) -> list[Any]:
    return [seen.body for seen in gateway.seen if seen.path == path]


def test_a_command_that_passes_is_reported_and_ends_with_0(monkey: Monkey, gateway: FakeGateway) -> None:
    ran = monkey("implement", "x", "-o", ".", "--verify", passes_when("hello"))
    assert ran.code == 0
    assert "Passed after " in ran.err
    assert sent(gateway, "/v1/feedback") == [{"request_id": "req_1", "outcome": "tests_passed", "verifier": "tests"}]


def test_a_command_that_fails_is_reported_with_the_end_of_its_output_and_ends_with_1(
    monkey: Monkey, gateway: FakeGateway
) -> None:
    ran = monkey("build", "x", "-o", ".", "--verify", passes_when("nothing"))
    assert ran.code == 1
    assert "  saw print('hello')" in ran.err
    assert "--repair N lets other models try" in ran.err
    assert Path("main.py").exists()
    assert sent(gateway, "/v1/feedback") == [{"request_id": "req_1", "outcome": "tests_failed", "verifier": "tests"}]


CASCADE = {"collapse_strategy": "cascade", "execution_branches": 3}
ROUND = {"number": 2, "failed": [{"request_id": "req_1", "model": "openai/gpt-5-mini"}], "planned": "xai/grok"}


def telling(scripted: Answer, **sequence: Any) -> Answer:
    """The same answer, from a gateway that says what it planned."""
    body = json.loads(scripted.pieces[0])
    body["result"]["quantum_collapse_info"] = {"sequence": sequence}
    return reply(body)


def test_a_repair_escalates_naming_what_failed_with_the_files_and_the_output(
    monkey: Monkey, gateway: FakeGateway
) -> None:
    first_round = {"number": 1, "failed": [], "planned": "openai/gpt-5-mini", "success": 0.716}
    gateway.on(
        "/v1/execute",
        telling(answer("first"), round=first_round),
        telling(answer("second", provider="xai", request="req_2"), round=ROUND | {"success": 0.6}),
    )
    Path("b.py").write_text("b")
    command = passes_when("second")
    ran = monkey("implement", "x", "b.py", "-o", ".", "--verify", command, "--repair", "2", "--no-stream")
    assert ran.code == 0
    assert Path("main.py").read_text() == "second"
    first, second = sent(gateway, "/v1/execute")
    assert (first["prompt"], first["verifier"], first["orchestration_config"]) == ("x", "tests", CASCADE)
    assert "escalation" not in first
    assert "saw first" in second["prompt"]
    assert {file["path"]: file["content"] for file in second["files"]} == {"b.py": "b", "main.py": "first"}
    assert second["escalation"] == {"failed": ["req_1"], "verifier": "tests"}
    assert second["orchestration_config"] == CASCADE
    assert first["task_id"] != second["task_id"]
    passed = {"request_id": "req_2", "outcome": "tests_passed", "verifier": "tests"}
    assert sent(gateway, "/v1/feedback") == [passed], "the escalation tells of the first"
    assert "Round 1 of a cascade: openai/gpt-5-mini was expected to be right at 72%." in ran.err
    assert "Asking again, repair 1 of 2: `" in ran.err
    assert "Round 2 of a cascade: xai/grok was expected to be right at 60%, given what failed." in ran.err
    assert "1. openai/gpt-5-mini · $0.01 · failed, ended with 1 after " in ran.err
    assert "2. xai/gpt-5-mini · $0.01 · passed · receipt rcpt_1" in ran.err
    assert "2 answers cost $0.02 together." in ran.err


def test_why_no_cascade_is_run_is_said(monkey: Monkey, gateway: FakeGateway) -> None:
    told = telling(answer("hello"), round={"number": 1, "success": None}, reason="the checks are not of use")
    gateway.on("/v1/execute", told)
    ran = monkey("implement", "x", "-o", ".", "--verify", passes_when("hello"), "--repair", "1", "--no-stream")
    assert "Round 1, no cascade: the checks are not of use." in ran.err


def test_without_repairs_or_cascade_the_first_answer_is_an_ordinary_one(monkey: Monkey, gateway: FakeGateway) -> None:
    monkey("implement", "x", "-o", ".", "--verify", passes_when("hello"), "--no-stream")
    gateway.on("/v1/execute", answer("first"), answer("second", request="req_2"))
    options = ("--repair", "1", "--no-cascade", "--verify-as", "build", "--force", "--no-stream")
    assert monkey("implement", "x", "-o", ".", "--verify", passes_when("second"), *options).code == 0
    single, first, second = sent(gateway, "/v1/execute")
    for ordinary in (single, first):
        assert not {"verifier", "escalation", "orchestration_config"} & ordinary.keys()
    assert second["escalation"] == {"failed": ["req_1"], "verifier": "build"}
    assert [each["verifier"] for each in sent(gateway, "/v1/feedback")] == ["tests", "build"]


def test_repairs_that_all_fail_end_with_3(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/execute", answer("first"), answer("second"))
    ran = monkey("implement", "x", "-o", ".", "--verify", passes_when("z"), "--repair", "1", "--no-stream")
    assert ran.code == 3
    assert "still fails after 2 answers" in ran.err


@pytest.mark.parametrize(
    ("options", "model", "providers"),
    [
        (("--model", "gpt-5"), "gpt-5", None),
        (("--model", "auto:cheap"), "auto:cheap", None),
        (("--provider", "openai", "--provider", "groq"), None, ["openai", "groq"]),
    ],
)
def test_a_repair_keeps_to_what_the_user_named(
    monkey: Monkey, gateway: FakeGateway, options: tuple[str, ...], *, model: str | None, providers: list[str] | None
) -> None:
    gateway.on("/v1/execute", answer("first"), answer("second"))
    monkey("implement", "x", "-o", ".", "--verify", passes_when("z"), "--repair", "1", "--no-stream", *options)
    second = sent(gateway, "/v1/execute")[1]
    assert (second.get("model"), second.get("preferred_providers")) == (model, providers)


def test_max_cost_bounds_all_answers_together(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/execute", answer("first", cost="0.03"), answer("second", cost="0.02"))
    bounded = ("--max-cost", "0.05", "--repair", "3", "--no-stream")
    ran = monkey("implement", "x", "-o", ".", "--verify", passes_when("z"), *bounded)
    assert [body["max_cost"] for body in sent(gateway, "/v1/execute")] == ["0.05", "0.02"]
    assert ran.code == 3
    assert "--max-cost leaves too little of $0.05" in ran.err


def test_an_answer_of_unknown_cost_ends_repairs_under_a_limit(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/execute", answer("first", cost=None))
    bounded = ("--max-cost", "0.05", "--repair", "3", "--no-stream")
    assert monkey("implement", "x", "-o", ".", "--verify", passes_when("z"), *bounded).code == 3
    assert len(sent(gateway, "/v1/execute")) == 1


def test_a_repair_the_gateway_finds_too_dear_ends_with_3(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/execute", answer("first"), error(402, "budget_exceeded", limit_usd="0.04"))
    bounded = ("--max-cost", "0.05", "--repair", "3", "--no-stream", "--json")
    ran = monkey("implement", "x", "-o", ".", "--verify", passes_when("z"), *bounded)
    document = json.loads(ran.out)
    assert ran.code == 3
    assert document["error"]["code"] == "budget_exceeded"
    assert document["verification"]["passed"] is False


def test_a_repair_that_fails_otherwise_ends_with_its_own_code(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/execute", answer("first"), error(401, "invalid_api_key", "The key is revoked."))
    ran = monkey("implement", "x", "-o", ".", "--verify", passes_when("z"), "--repair", "1", "--no-stream")
    assert ran.code == 77
    assert "The key is revoked." in ran.err
    failed = {"request_id": "req_1", "outcome": "tests_failed", "verifier": "tests"}
    assert sent(gateway, "/v1/feedback") == [failed], "no further request told of it"


def test_a_repair_without_files_ends_with_65(monkey: Monkey, gateway: FakeGateway) -> None:
    empty = execution()
    empty["result"]["artifacts"] = []
    gateway.on("/v1/execute", answer("first"), reply(empty))
    ran = monkey("implement", "x", "-o", ".", "--verify", passes_when("z"), "--repair", "1", "--no-stream")
    assert ran.code == 65


def test_a_repair_replaces_what_this_run_wrote_and_nothing_else(monkey: Monkey, gateway: FakeGateway) -> None:
    other = execution()
    other["result"]["artifacts"] = [{**other["result"]["artifacts"][0], "filename": "b.py"}]
    Path("b.py").write_text("the user's own")
    gateway.on("/v1/execute", answer("first"), reply(other))
    ran = monkey("implement", "x", "-o", ".", "--verify", passes_when("z"), "--repair", "1", "--no-stream")
    assert ran.code == 1
    assert "b.py" in ran.err
    assert Path("b.py").read_text() == "the user's own"


def test_json_prints_one_document_with_every_round(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/execute", answer("first"), answer("second", request="req_2"))
    ran = monkey("implement", "x", "-o", ".", "--verify", passes_when("second"), "--repair", "1", "--json")
    document = json.loads(ran.out)
    assert ran.code == 0
    assert document["error"] is None
    verification = document["verification"]
    assert (verification["passed"], verification["cost_usd"]) == (True, "0.02")
    assert [(each["passed"], each["exit_code"], each["request_id"]) for each in verification["rounds"]] == [
        (False, 1, "req_1"),
        (True, 0, "req_2"),
    ]
    assert [each["reported"] for each in verification["rounds"]] == [True, True]
    assert document["written"] == [str(Path("main.py").resolve())]


def test_json_streams_a_verification_as_one_more_event(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/execute/stream", events())
    ran = monkey("implement", "x", "-o", ".", "--verify", passes_when("z"), "--json", "--stream")
    last = json.loads(ran.out.splitlines()[-1])
    assert ran.code == 1
    assert (last["type"], last["data"]["passed"]) == ("verification", False)


def test_an_outcome_that_cannot_be_reported_is_no_failure(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/feedback", error(404, "not_found", "No such request."))
    ran = monkey("implement", "x", "-o", ".", "--verify", passes_when("hello"))
    assert ran.code == 0
    assert "The gateway was not told how it ended: No such request." in ran.err


def test_the_configured_command_runs_only_when_asked_for(monkey: Monkey, gateway: FakeGateway) -> None:
    Path("monkey-coder.json").write_text(json.dumps({"verifyCommand": passes_when("z")}))
    assert monkey("implement", "x", "-o", ".").code == 0
    assert monkey("implement", "x", "-o", ".", "--verify-configured").code == 1
    assert len(sent(gateway, "/v1/feedback")) == 1


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--verify", "no-such-command-here", "-o", "."), 78, "There is no command"),
        (("--verify", "true"), 2, "say where with -o DIR"),
        (("--verify-configured", "-o", "."), 2, "No verifyCommand is configured"),
        (("--repair", "1", "-o", "."), 2, "--verify COMMAND"),
    ],
)
def test_what_cannot_be_verified_is_told_before_anything_is_paid_for(
    monkey: Monkey, gateway: FakeGateway, options: tuple[str, ...], *, code: int, said: str
) -> None:
    ran = monkey("implement", "x", *options)
    assert (ran.code, gateway.seen) == (code, [])
    assert said in ran.err


def test_a_command_of_the_answer_that_cannot_be_started_ends_with_1(monkey: Monkey, gateway: FakeGateway) -> None:
    ran = monkey("implement", "x", "-o", ".", "--verify", "./main.py")
    assert ran.code == 1
    assert "could not be started" in ran.err
    assert sent(gateway, "/v1/feedback") == []


def test_only_the_price_is_shown_where_nobody_can_be_asked(monkey: Monkey, gateway: FakeGateway) -> None:
    ran = monkey("implement", "x", "-o", ".", "--verify", "true", "--quote")
    assert ran.code == 0
    assert [seen.path for seen in gateway.seen] == ["/v1/quote"]
