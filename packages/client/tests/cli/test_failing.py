"""How a command ends when something is wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import Answer, FakeGateway, error

Monkey = Callable[..., Ran]


def config_file(home: Path) -> Path:
    return home / ".config/monkey-coder/config.json"


def save(home: Path, **values: Any) -> None:
    config_file(home).parent.mkdir(parents=True, exist_ok=True)
    config_file(home).write_text(json.dumps(values))
    config_file(home).chmod(0o600)


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (error(401, "invalid_api_key", "This key was revoked."), 77, "This key was revoked. Run `monkey auth login`"),
        (error(402, "insufficient_credit", "No credit.", top_up_url="https://m.example/b"), 4, "https://m.example/b"),
        (error(402, "budget_exceeded", "The key's cap of $5 is reached.", limit_usd="5"), 4, "cap of $5"),
        (error(404, "model_not_found", "There is no model 'x'."), 2, "`monkey models` lists the names"),
        (error(429, "rate_limited", "Too fast.", retry_after="900"), 5, "Wait a little"),
        (error(503, "unavailable", "Down.", x_should_retry="false"), 69, "Down. Wait a little and run it again."),
        (error(500, "internal", "Oops.", x_should_retry="false"), 70, "(request req_err)"),
        (Answer(200, {"content-type": "text/html"}, (b"<html>",)), 65, "cannot be read"),
    ],
)
def test_each_failure_is_a_sentence_a_hint_and_a_code(
    monkey: Monkey, gateway: FakeGateway, answer: Answer, code: int, words: str
) -> None:
    gateway.on("/v1/billing/balance", answer)
    ran = monkey("balance")
    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("monkey: ")
    assert ran.err.count("\n") == 1
    assert words in ran.err


def test_a_stop_by_max_cost_is_code_3(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/execute/stream", error(402, "budget_exceeded", "It could cost $0.90.", limit_usd="0.5"))
    ran = monkey("implement", "x", "--max-cost", "0.50")
    assert ran.code == 3
    assert "Raise --max-cost" in ran.err


def test_json_errors_are_one_document(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/models", error(401, "invalid_api_key", "No."))
    ran = monkey("models", "--json")
    assert ran.code == 77
    assert json.loads(ran.out)["error"] == {
        "code": "invalid_api_key",
        "message": "No.",
        "hint": "Run `monkey auth login` for a key that works, or check MONKEY_CODER_API_KEY.",
        "request_id": "req_err",
    }


def test_rate_limits_are_waited_for_and_said(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/models", error(429, "rate_limited", "Too fast.", retry_after="2"))
    ran = monkey("models")
    assert ran.code == 0
    assert "Too fast. Trying again in 2.0 s." in ran.err


def test_without_a_key_nothing_is_sent(monkey: Monkey, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONKEY_CODER_API_KEY")
    for arguments in (["models"], ["implement", "x"], ["auth", "token"], ["auth", "status"]):
        ran = monkey(*arguments)
        assert ran.code == 77
        assert "monkey auth login" in ran.err
    assert gateway.seen == []


def test_a_broken_configuration_is_code_78_with_its_place(monkey: Monkey, home: Path) -> None:
    save(home)
    config_file(home).write_text('{"apiKey": "x",}')
    ran = monkey("models")
    assert ran.code == 78
    assert f"{config_file(home)}:1:" in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["imlpement", "x"], "Did you mean 'implement'"),
        (["--hlep"], "Did you mean '--help'"),
        (["models", "--josn"], "Did you mean '--json'"),
        (["implement"], "Missing argument 'PROMPT'"),
        (["implement", "x", "nothing.py"], "Cannot read nothing.py"),
        (["implement", "x", "--max-cost", "lots"], "not an amount"),
        (["implement", "x", "--max-cost", "0"], "must be more than 0"),
        (["review"], "Missing argument 'FILES...'"),
        (["feedback", "r", "great"], "is not one of"),
        (["feedback", "r"], "Choose from: accepted, rejected, tests_passed, tests_failed."),
        (["help", "imlpement"], "Did you mean 'implement'"),
        (["help", "keys", "crate"], "Did you mean 'create'"),
        (["keys", "revoke", "k"], "--yes"),
        (["config", "set", "apiKey", "mk-1"], "is a secret"),
        (["config", "get", "nothing"], "there are apiKey, baseUrl"),
        (["config", "get", "defaultModel"], "is not set"),
        (["config", "set", "baseUrl", "nowhere"], "must look like https://host"),
        (["receipts", "verify", "none.json"], "There is no file"),
        (["auth", "login", "--no-input"], "--password-stdin"),
        (["auth", "login", "--device", "--email", "a@b.c"], "Say one of"),
        (["--timeout", "0", "models"], "range"),
    ],
)
def test_wrong_usage_is_code_2_or_78_with_a_way_out(monkey: Monkey, arguments: list[str], words: str) -> None:
    ran = monkey(*arguments)
    assert ran.code == (78 if "baseUrl" in arguments else 2)
    assert ran.out == ""
    assert ran.err.count("\n") == 1
    assert words in ran.err


def test_a_bug_is_code_70_and_a_traceback_only_with_debug(monkey: Monkey, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        message = "boom"
        raise ZeroDivisionError(message)

    monkeypatch.setattr("monkey_coder.Client.models", broken)
    quiet, loud = monkey("models"), monkey("models", "--debug")
    assert (quiet.code, loud.code) == (70, 70)
    assert "Traceback" not in quiet.err
    assert "ZeroDivisionError: boom. Run it again with --debug" in quiet.err
    assert "Traceback" in loud.err


def test_an_interrupt_is_code_130(monkey: Monkey, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("monkey_coder.Client.models", stop)
    ran = monkey("models")
    assert (ran.code, ran.err) == (130, "Stopped.\n")
