"""Each command against a fake gateway: what it asks, prints, and how it ends."""

import io
import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import ANSWER, KEY, Answer, FakeGateway, error, event, events, execution, reply

Monkey = Callable[..., Ran]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put text on stdin."""

    def put(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return put


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A person at a terminal who will type this."""

    def put(text: str) -> None:
        stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
        stdin.isatty = lambda: True  # type: ignore[method-assign]  # a terminal in place of a pipe
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
        monkeypatch.setenv("TERM", "dumb")

    return put


def config_file(home: Path) -> Path:
    return home / ".config/monkey-coder/config.json"


def save(home: Path, **values: Any) -> None:
    config_file(home).parent.mkdir(parents=True, exist_ok=True)
    config_file(home).write_text(json.dumps(values))
    config_file(home).chmod(0o600)


# --- tasks


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


# --- failures


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
        (["help", "imlpement"], "Did you mean 'implement'"),
        (["help", "keys", "crate"], "Did you mean 'create'"),
        (["keys", "revoke", "k"], "--yes"),
        (["config", "set", "apiKey", "mk-1"], "is a secret"),
        (["config", "get", "nothing"], "there are apiKey, baseUrl"),
        (["config", "get", "defaultModel"], "is not set"),
        (["config", "set", "baseUrl", "nowhere"], "must look like https://host"),
        (["receipts", "verify", "none.json"], "There is no file"),
        (["auth", "login"], "--password-stdin"),
        (["--timeout", "0", "models"], "range"),
    ],
)
def test_wrong_usage_is_code_2_or_78_with_a_way_out(monkey: Monkey, arguments: list[str], words: str) -> None:
    ran = monkey(*arguments)
    assert ran.code == (78 if "baseUrl" in arguments else 2)
    assert ran.out == ""
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


# --- the other commands


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["models"], "openai    gpt-5-mini  400,000    $0.25     $2.00"),
        (["providers"], "openai    active  yes           1"),
        (["balance"], "available              $4.49877"),
        (["usage"], "cost      $0.00246"),
        (["quote", "x"], "openai/gpt-5-mini   $0.0012    $0.25"),
        (["health"], "status   healthy"),
        (["keys", "list"], "mk-test-0123"),
        (["keys", "revoke", "key_1", "--yes"], "The key was revoked."),
        (["keys", "revoke", "key_1", "--dry-run"], "Would revoke key_1 (laptop)."),
        (["feedback", "r", "tests_passed"], "Thank you: r tests passed."),
        (["auth", "status"], "ada@example.com"),
        (["auth", "token"], KEY),
        (["config", "get", "baseUrl"], "http://localhost:8000"),
        (["config", "get", "apiKey"], "mk-…ghij"),
        (["config", "get", "apiKey", "--origin"], "(environment)"),
        (["config", "list"], "mk-…ghij"),
        (["chat", "hello"], ANSWER),
        (["help", "keys", "create"], "Usage: monkey keys create"),
    ],
)
def test_each_command_prints_words_and_with_json_one_document(monkey: Monkey, arguments: list[str], words: str) -> None:
    plain = monkey(*arguments)
    assert plain.code == 0, plain.err
    assert words in plain.out
    as_json = monkey("--json", *arguments)
    assert as_json.code == 0, as_json.err
    json.loads(as_json.out)
    if arguments[-1] != "token":
        assert KEY not in plain.out + as_json.out


def test_money_in_json_is_a_decimal_string(monkey: Monkey) -> None:
    assert json.loads(monkey("balance", "--json").out)["available_usd"] == "4.49877"
    assert json.loads(monkey("usage", "--json").out)["total_cost"] == "0.00246"


def test_a_created_key_is_alone_on_stdout(monkey: Monkey, gateway: FakeGateway) -> None:
    ran = monkey("keys", "create", "ci", "--model", "m", "--month-usd", "20", "--expires-days", "9", "--rate", "5")
    assert ran.out == f"{KEY}\n"
    assert "It is not shown again" in ran.err
    assert gateway.seen[0].body == {
        "name": "ci",
        "models": ["m"],
        "caps": {"month_usd": "20"},
        "rate": 5,
        "expires_days": 9,
    }


def test_revoking_asks_for_the_id(monkey: Monkey, gateway: FakeGateway, person: Callable[[str], None]) -> None:
    person("key_2\n")
    ran = monkey("keys", "revoke", "key_1")
    assert (ran.code, gateway.seen) == (1, [])
    person("key_1\n")
    assert monkey("keys", "revoke", "key_1").code == 0
    assert gateway.seen[0].method == "DELETE"
    assert monkey("keys", "revoke", "other", "--dry-run").code == 2


def test_usage_passes_the_period(monkey: Monkey, gateway: FakeGateway) -> None:
    monkey("usage", "--from", "2026-11-01", "--to", "2026-11-30", "--by", "monthly")
    assert gateway.seen[0].query == {
        "start_date": "2026-11-01",
        "end_date": "2026-11-30",
        "granularity": "monthly",
    }


def test_empty_lists_say_so(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/models", reply({"data": [], "models": {}, "count": 0}))
    gateway.on("/v1/providers", reply({"providers": {}, "count": 0, "status": "active"}))
    gateway.on("/v1/keys", reply({"keys": [], "count": 0}))
    gateway.on("/v1/billing/usage", reply({}))
    outs = [monkey(*words).out for words in (["models"], ["providers"], ["keys", "list"], ["usage"])]
    assert outs == ["No models.\n", "No providers.\n", "No keys.\n", "Nothing was used.\n"]


# --- login


def test_login_stores_the_key_privately_and_keeps_other_settings(
    monkey: Monkey, gateway: FakeGateway, home: Path, typed: Callable[[str], None]
) -> None:
    save(home, preferences={"a": 1})
    typed("my password\n")
    ran = monkey("auth", "login", "--email", "ada@example.com", "--password-stdin")
    assert (ran.code, ran.out) == (0, "Logged in as ada@example.com.\n")
    assert gateway.seen[0].body == {"email": "ada@example.com", "password": "my password", "client": "cli"}
    assert json.loads(config_file(home).read_text()) == {"preferences": {"a": 1}, "apiKey": KEY}
    assert stat.S_IMODE(config_file(home).stat().st_mode) == 0o600
    assert KEY not in ran.out + ran.err


def test_login_remembers_the_address_it_was_told(monkey: Monkey, home: Path, typed: Callable[[str], None]) -> None:
    typed("pw\n")
    monkey("--base-url", "http://gw.example:9/v1", "auth", "login", "--email", "a@b.c", "--password-stdin")
    assert json.loads(config_file(home).read_text())["baseUrl"] == "http://gw.example:9"


def test_login_with_a_key_checks_it_first(
    monkey: Monkey, gateway: FakeGateway, home: Path, typed: Callable[[str], None]
) -> None:
    gateway.on("/v1/auth/status", reply({"authenticated": False}))
    typed("mk-wrong\n")
    ran = monkey("auth", "login", "--api-key-stdin")
    assert ran.code == 77
    assert not config_file(home).exists()
    typed("mk-right\n")
    assert monkey("auth", "login", "--api-key-stdin").code == 0
    assert gateway.seen[-1].headers["authorization"] == "Bearer mk-right"
    assert json.loads(config_file(home).read_text())["apiKey"] == "mk-right"


def test_a_person_is_asked_for_email_and_password(
    monkey: Monkey, gateway: FakeGateway, person: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _prompt: "hidden pw")
    person("ada@example.com\n")
    assert monkey("auth", "login").code == 0
    assert gateway.seen[0].body["email"] == "ada@example.com"
    assert gateway.seen[0].body["password"] == "hidden pw"


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (error(401, "invalid_credentials", "Email or password is wrong."), 77, "Check the email and the password"),
        (reply({"mfa_required": True, "mfa_token": "t"}), 77, "--api-key-stdin"),
        (reply({"access_token": "a", "refresh_token": "r"}), 65, "gave no key"),
    ],
)
def test_a_login_that_yields_no_key_says_why(
    monkey: Monkey,
    gateway: FakeGateway,
    home: Path,
    typed: Callable[[str], None],
    *,
    answer: Answer,
    code: int,
    words: str,
) -> None:
    gateway.on("/v1/auth/login", answer)
    typed("pw\n")
    ran = monkey("auth", "login", "--email", "a@b.c", "--password-stdin")
    assert ran.code == code
    assert words in ran.err
    assert not config_file(home).exists()


def test_register_makes_the_account_and_logs_in(
    monkey: Monkey, gateway: FakeGateway, home: Path, typed: Callable[[str], None]
) -> None:
    typed("pw\n")
    assert monkey("auth", "register", "--email", "a@b.c", "--name", "Ada", "--password-stdin").code == 0
    assert [seen.path for seen in gateway.seen] == ["/v1/auth/register", "/v1/auth/login"]
    assert gateway.seen[0].body == {"email": "a@b.c", "password": "pw", "name": "Ada"}
    assert json.loads(config_file(home).read_text())["apiKey"] == KEY


def test_logout_forgets_the_key_and_nothing_else(monkey: Monkey, home: Path) -> None:
    save(home, apiKey="mk-1", baseUrl="http://x")
    ran = monkey("auth", "logout")
    assert ran.code == 0
    assert "MONKEY_CODER_API_KEY is still set" in ran.err
    assert json.loads(config_file(home).read_text()) == {"baseUrl": "http://x"}
    assert "No key was stored." in monkey("auth", "logout").out


def test_an_unaccepted_key_is_told_by_status(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/auth/status", reply({"authenticated": False}))
    assert monkey("auth", "status").code == 77


# --- configuration


def test_settings_are_set_and_unset_where_asked(monkey: Monkey, home: Path) -> None:
    assert monkey("config", "path").out == f"{config_file(home)}\n"
    assert monkey("config", "set", "baseUrl", "https://gw.example/v1/").code == 0
    assert monkey("config", "set", "defaultPersona", "tester", "--project").code == 0
    assert json.loads(config_file(home).read_text()) == {"baseUrl": "https://gw.example"}
    assert json.loads(Path(".monkey-coder/config.json").read_text()) == {"defaultPersona": "tester"}
    assert monkey("config", "get", "defaultPersona", "--origin").out == "tester  (project)\n"
    monkey("config", "unset", "baseUrl")
    assert json.loads(config_file(home).read_text()) == {}
    assert monkey("config", "get", "baseUrl").out == "http://localhost:8000\n"


def test_a_readable_key_file_is_warned_about(monkey: Monkey, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONKEY_CODER_API_KEY")
    save(home, apiKey=KEY)
    config_file(home).chmod(0o644)
    assert f"chmod 600 {config_file(home)}" in monkey("models").err


# --- chat


def test_a_conversation_sends_what_was_said_before(
    monkey: Monkey, gateway: FakeGateway, person: Callable[[str], None]
) -> None:
    person("first\n\nsecond\n/new\nthird\n/exit\nnever\n")
    assert monkey("chat").code == 0
    prompts = [seen.body["prompt"] for seen in gateway.seen]
    assert prompts[0] == "first"
    assert "User: first\nAssistant: Here is" in prompts[1]
    assert prompts[1].endswith("The user now says:\n\nsecond")
    assert prompts[2] == "third"
    sessions = [seen.body["context"]["session_id"] for seen in gateway.seen]
    assert sessions[0] == sessions[1] != sessions[2]


def test_old_turns_are_left_out_when_they_do_not_fit() -> None:
    from monkey_coder.cli.commands.chat import MAX_HISTORY_CHARACTERS, conversation_prompt

    long = "x" * (MAX_HISTORY_CHARACTERS - 100)
    words = conversation_prompt("now", [("oldest", long), ("later", "y" * 200)])
    assert "oldest" not in words
    assert "later" in words
    assert conversation_prompt("now", [("a", "x" * MAX_HISTORY_CHARACTERS)]) == "now"


def test_a_piped_message_is_one_question(monkey: Monkey, gateway: FakeGateway, typed: Callable[[str], None]) -> None:
    typed("why?\nreally?")
    assert monkey("chat").code == 0
    assert gateway.seen[0].body["prompt"] == "why?\nreally?"
    typed("")
    assert monkey("chat").code == 2
