"""The commands that do work: what they ask, show and write."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import ANSWER, FakeGateway, event, events, execution, reply

Monkey = Callable[..., Ran]


def config_file(home: Path) -> Path:
    return home / ".config/monkey-coder/config.json"


def save(home: Path, **values: Any) -> None:
    config_file(home).parent.mkdir(parents=True, exist_ok=True)
    config_file(home).write_text(json.dumps(values))
    config_file(home).chmod(0o600)


def test_implement_streams_the_answer_to_stdout_and_the_cost_to_stderr(monkey: Monkey, gateway: FakeGateway) -> None:
    ran = monkey("implement", "create a REST API")
    assert (ran.code, ran.out) == (0, ANSWER)
    assert (
        "openai/gpt-5-mini · 1,000 in + 230 out tokens · cost $0.00123 · balance $4.99877 · receipt rcpt_1" in ran.err
    )
    assert "2 files (main.py, app/core.py); -o DIR writes them" in ran.err
    assert gateway.seen[0].path == "/v1/execute/stream"
    assert gateway.seen[0].body["persona_config"] == {"persona": "developer"}


@pytest.mark.parametrize(
    ("arguments", "task_type", "persona", "words"),
    [
        (("implement", "add paging", "a.py"), "code_generation", "developer", "add paging"),
        (("build", "a shortener", "a.py"), "custom", "architect", "a shortener"),
        (("test", "a.py", "--framework", "pytest"), "testing", "tester", "Use pytest."),
        (("review", "a.py"), "code_review", "reviewer", "Review"),
        (("analyze", "a.py"), "code_analysis", "reviewer", "quality"),
        (("analyze", "a.py", "-t", "security"), "code_analysis", "security_analyst", "security"),
        (("analyze", "a.py", "-t", "performance"), "code_analysis", "performance_expert", "performance"),
        (("explain", "a.py"), "documentation", "technical_writer", "Explain"),
    ],
)
def test_each_task_command_says_what_it_wants(
    monkey: Monkey, gateway: FakeGateway, arguments: tuple[str, ...], *, task_type: str, persona: str, words: str
) -> None:
    Path("a.py").write_text("a = 1\n")
    assert monkey(*arguments).code == 0
    body = gateway.seen[0].body
    assert body["task_type"] == task_type
    assert body["persona_config"]["persona"] == persona
    assert words in body["prompt"]
    assert body["files"] == [{"path": "a.py", "content": "a = 1\n", "type": "python"}]


def test_task_options_reach_the_gateway(monkey: Monkey, gateway: FakeGateway) -> None:
    ran = monkey(
        *("implement", "x", "--persona", "tester", "--model", "auto:best", "--provider", "openai", "--provider", "xai"),
        *("--max-cost", "$0.50", "--max-tokens", "99", "--temperature", "0.5", "--instructions", "short"),
        *("--timeout", "20", "--no-stream", "--quiet"),
    )
    assert (ran.code, ran.out, ran.err) == (0, ANSWER, "")
    seen = gateway.seen[0]
    assert seen.path == "/v1/execute"
    assert seen.body["persona_config"] == {"persona": "tester", "custom_instructions": "short"}
    assert seen.body["context"] == {"timeout": 20, "max_tokens": 99, "temperature": 0.5}
    assert seen.body["model"] == "auto:best"
    assert seen.body["preferred_providers"] == ["openai", "xai"]
    assert seen.body["max_cost"] == "0.50"


ROUTED = ("--weights", "cost=0.3, quality=1", "--collapse", "vote", "--branches", "5")
TEAM = ("--agents", "2", "--coordination", "sequential", "--reflections", "1")


@pytest.mark.parametrize("command", ["implement", "build", "chat", "quote"])
def test_weights_rules_and_agents_reach_the_gateway(monkey: Monkey, gateway: FakeGateway, command: str) -> None:
    assert monkey(command, "x", *ROUTED, *TEAM).code == 0
    body = gateway.seen[0].body
    assert body["weights"] == {"quality": 1, "cost": 0.3}
    assert body["orchestration_config"] == {"collapse_strategy": "vote", "execution_branches": 5}
    assert body["monkey1_config"] == {
        "agent_count": 2,
        "coordination_strategy": "sequential",
        "enable_reflection": True,
        "max_iterations": 1,
    }


@pytest.mark.parametrize("weights", ["", "cost", "cost=x", "speed=1", "cost=1,cost=2", "cost=-1", "cost=nan", "cost=0"])
def test_weights_that_are_none_are_refused_before_sending(monkey: Monkey, gateway: FakeGateway, weights: str) -> None:
    ran = monkey("implement", "x", "--weights", weights)
    assert (ran.code, gateway.seen) == (2, [])
    assert "--weights" in ran.err


@pytest.mark.parametrize("wrong", [("--collapse", "magic"), ("--branches", "11"), ("--agents", "9")])
def test_what_no_gateway_takes_is_refused_before_sending(
    monkey: Monkey, gateway: FakeGateway, wrong: tuple[str, str]
) -> None:
    assert (monkey("review", "a.py", *wrong).code, gateway.seen) == (2, [])


def test_defaults_of_the_configuration_are_used(monkey: Monkey, gateway: FakeGateway, home: Path) -> None:
    save(home, defaultPersona="architect", defaultModel="m", defaultProvider="xai")
    Path("a.py").write_text("")
    monkey("implement", "x")
    monkey("review", "a.py")
    first, second = (seen.body for seen in gateway.seen)
    assert first["persona_config"]["persona"] == "architect"
    assert (first["model"], first["preferred_providers"]) == ("m", ["xai"])
    assert second["persona_config"]["persona"] == "reviewer"


def test_the_prompt_and_files_come_from_stdin(
    monkey: Monkey, gateway: FakeGateway, typed: Callable[[str], None]
) -> None:
    typed("a long wish")
    monkey("implement", "-")
    typed("diff")
    monkey("explain", "-")
    assert gateway.seen[0].body["prompt"] == "a long wish"
    assert gateway.seen[1].body["files"] == [{"path": "stdin", "content": "diff"}]
    typed(" ")
    assert monkey("implement", "-").code == 2


def test_json_is_the_twelve_keys_and_nothing_else(monkey: Monkey, gateway: FakeGateway) -> None:
    ran = monkey("implement", "x", "--json")
    assert json.loads(ran.out) == execution()
    assert gateway.seen[0].path == "/v1/execute"


def test_json_with_stream_is_one_event_a_line(monkey: Monkey) -> None:
    lines = [json.loads(line) for line in monkey("implement", "x", "--json", "--stream").out.splitlines()]
    assert lines[0]["type"] == "start"
    assert lines[-1] == {"type": "complete", "data": execution()}


def test_files_are_written_and_named(monkey: Monkey) -> None:
    ran = monkey("implement", "x", "-o", "out")
    assert ran.code == 0
    assert Path("out/main.py").read_text() == "print('hello')\n"
    assert Path("out/app/core.py").read_text() == "ANSWER = 42\n"
    assert f"wrote {Path.cwd()}/out/app/core.py" in ran.err
    assert "unchanged" in monkey("implement", "x", "-o", "out").err


def test_json_lists_the_written_files(monkey: Monkey) -> None:
    ran = monkey("implement", "x", "-o", "out", "--json")
    assert json.loads(ran.out)["written"] == [f"{Path.cwd()}/out/main.py", f"{Path.cwd()}/out/app/core.py"]


def test_a_different_file_is_not_replaced_unasked(monkey: Monkey) -> None:
    Path("main.py").write_text("mine")
    ran = monkey("implement", "x", "-o", ".")
    assert ran.code == 1
    assert "main.py; nothing was written. Repeat with --force" in ran.err
    assert "receipt rcpt_1" in ran.err  # the answer was paid for all the same
    assert Path("main.py").read_text() == "mine"
    assert not Path("app").exists()
    assert monkey("implement", "x", "-o", ".", "--force").code == 0
    assert Path("main.py").read_text() == "print('hello')\n"


@pytest.mark.parametrize(("answer", "code", "content"), [("y\n", 0, "print('hello')\n"), ("\n", 1, "mine")])
def test_a_person_sees_the_difference_and_decides(
    monkey: Monkey, person: Callable[[str], None], answer: str, code: int, content: str
) -> None:
    Path("main.py").write_text("mine")
    person(answer)
    ran = monkey("implement", "x", "-o", ".")
    assert ran.code == code
    assert "-mine" in ran.err
    assert "+print('hello')" in ran.err
    assert Path("main.py").read_text() == content


@pytest.mark.parametrize("flag", ["--no-input", "--json"])
def test_nobody_is_asked_when_told_not_to(monkey: Monkey, person: Callable[[str], None], flag: str) -> None:
    Path("main.py").write_text("mine")
    person("y\n")
    assert monkey("implement", "x", "-o", ".", flag).code == 1
    assert Path("main.py").read_text() == "mine"


def test_an_unsafe_name_in_the_answer_writes_nothing(monkey: Monkey, gateway: FakeGateway) -> None:
    body = execution()
    body["result"] = body["result"] | {
        "artifacts": [
            {"name": "ok", "type": "code", "filename": "ok.py", "content": ""},
            {"name": "bad", "type": "code", "filename": "../bad.py", "content": ""},
        ]
    }
    gateway.on("/v1/execute/stream", events(ending=event(type="complete", data=body)))
    ran = monkey("implement", "x", "-o", "out")
    assert ran.code == 65
    assert "nothing was written" in ran.err
    assert not Path("out").exists()


def test_an_answer_without_files_is_unusable_where_files_were_asked(monkey: Monkey, gateway: FakeGateway) -> None:
    body = execution()
    body["result"] = body["result"] | {"artifacts": []}
    gateway.on("/v1/execute", reply(body))
    ran = monkey("implement", "x", "-o", "out", "--no-stream")
    assert (ran.code, ran.out) == (65, ANSWER)
    assert "holds no files" in ran.err


def test_a_failed_task_is_code_1(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/execute", reply(execution(status="failed", result=None, error="The model gave up.")))
    ran = monkey("implement", "x", "--no-stream")
    assert (ran.code, ran.out) == (1, "")
    assert "The model gave up." in ran.err


def test_a_broken_stream_keeps_the_partial_text(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/execute/stream", events("half an", ending=b"", cut=True))
    ran = monkey("implement", "x")
    assert (ran.code, ran.out) == (69, "half an")
    assert "broke off" in ran.err
    assert "(request req_1)" in ran.err


def test_an_answer_that_came_without_deltas_is_still_shown(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/execute/stream", events("", ending=event(type="complete", data=execution("all at once"))))
    assert monkey("implement", "x").out == "all at once\n"


def test_what_is_missing_in_the_answer_is_said(monkey: Monkey, gateway: FakeGateway) -> None:
    body = execution()
    body["result"]["metadata"] |= {
        "finish_reason": "length",
        "unfinished_file": "app/last.py",
        "refused_files": [{"path": "../x", "reason": "leads out of the folder"}, "odd"],
    }
    gateway.on("/v1/execute", reply(body))
    ran = monkey("implement", "x", "--no-stream")
    assert ran.code == 0
    assert "allow more with --max-tokens" in ran.err
    assert "app/last.py was not finished by the model." in ran.err
    assert "The gateway left out ../x: leads out of the folder." in ran.err


def _weighed(model: str, success: float, cost: str) -> dict[str, Any]:
    return {
        "model": model,
        "success": success,
        "success_spread": 0.0712,
        "outcomes_seen": 23.5,
        "expected_cost_usd": cost,
        "expected_latency_ms": 4200,
        "utility": 0.8123,
    }


def _told(**changes: Any) -> dict[str, Any]:
    told = {
        "superposition": [_weighed("openai/gpt-5-mini", 0.81, "0.001"), _weighed("anthropic/claude", 0.9, "0.01")],
        "collapsed_to": "openai/gpt-5-mini",
        "rank": 1,
        "considered": 40,
        "collapse": "best_ranked",
        "best_single_model": "anthropic/claude",
        "expected_saving_usd": "0.009",
    }
    body = execution(persona_routing={"kind_of_work": "implement", "language": "python"})
    body["result"]["quantum_collapse_info"] = told | changes
    return body


def test_explain_says_why_with_the_gateways_numbers(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/execute", reply(_told()))
    ran = monkey("implement", "x", "--explain", "--no-stream")
    assert (ran.code, ran.out) == (0, ANSWER)
    for words in (
        "*  openai/gpt-5-mini     0.81",
        "0.0712  23.5  $0.001  4200 ms   0.8123",
        "Kind of work: implement python.",
        "openai/gpt-5-mini answered, number 1 of 40.",
        "Expected to save $0.009 against anthropic/claude, believed to be best at this.",
    ):
        assert words in ran.err, ran.err


def test_explain_tells_a_draw_with_its_chance(monkey: Monkey, gateway: FakeGateway) -> None:
    drawn = {"collapse": "drawn", "draw": 0.123456, "drawn": "openai/gpt-5-mini", "propensity": 0.25}
    gateway.on("/v1/execute", reply(_told(**drawn, probabilities={"openai/gpt-5-mini": 0.25})))
    ran = monkey("implement", "x", "--explain", "--no-stream")
    assert "Drawn: openai/gpt-5-mini by 0.1235, whose chance was 0.2500; openai/gpt-5-mini answered." in ran.err


def test_explain_says_what_counted_and_who_said_so(monkey: Monkey, gateway: FakeGateway) -> None:
    weighed = {"weights": {"quality": 76.92, "cost": 23.08, "latency": 0}, "weights_from": "request"}
    gateway.on("/v1/execute", reply(_told(**weighed)))
    ran = monkey("implement", "x", "--explain", "--no-stream")
    assert "What counts: quality 76.92 %, cost 23.08 %, latency 0 % (said by the request)." in ran.err


def test_explain_says_what_more_is_expected_to_be_paid(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/execute", reply(_told(expected_saving_usd="-0.5")))
    assert "Expected to save -$0.50 against" in monkey("implement", "x", "--explain", "--no-stream").err


def test_explain_says_what_was_truly_saved(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/execute", reply(_told(saving_usd="-0.25")))
    ran = monkey("implement", "x", "--explain", "--no-stream")
    assert "Saved -$0.25: what these tokens cost at anthropic/claude, less what was charged." in ran.err


def test_explain_has_nothing_to_say_where_a_gateway_tells_nothing(monkey: Monkey, gateway: FakeGateway) -> None:
    assert gateway.seen == []
    ran = monkey("implement", "x", "--explain")
    assert ran.code == 0
    assert "MODEL" not in ran.err
