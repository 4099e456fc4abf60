"""Providers that mean harm: cut off in time, settled, and reported in the caller's own dialect."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.books_audit import Books
from tests.contract_http import Answer, Outsider
from tests.hostile_upstream import hostile_provider
from tests.opened_accounts import open_accounts
from tools.processes import BIN, Process, free_port, server

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("hostile")]
UPSTREAMS = {
    "chat": "openai/gpt-4.1-mini",
    "messages": "anthropic/claude-haiku-4-5",
    "gemini": "google/gemini-2.5-flash",
}
CALLERS = ("chat", "responses", "messages", "gemini")
WHOLE = ("announced", "endless-body", "bad-utf", "negative-usage", "bomb")
STREAMED = ("endless-line", "endless-text", "endless-comments", "stream-bad-utf", "stream-garbage")
READABLE = {"bad-utf", "negative-usage"}
"""What an answer can still be made of."""
MOST_MEBIBYTES = 400
"""Resident memory of a gateway that bounds what it reads: twice its usual."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A gateway in front of a hostile provider."""

    user: Outsider
    process: Process
    environment: dict[str, str]

    def ask(self, caller: str, model: str, mode: str, *, stream: bool) -> Answer:
        """One request in a dialect."""
        path, body = request(caller, model, f"HOSTILE-{mode}", stream=stream)
        return self.user.post(path, body)

    def books(self) -> dict[str, Any]:
        """The audit of the ledger."""
        command = [str(BIN / "monkey-server"), "admin", "ledger", "verify"]
        done = subprocess.run(command, env=self.environment, capture_output=True, check=True)
        report: dict[str, Any] = json.loads(done.stdout)
        return report


def request(caller: str, model: str, text: str, *, stream: bool) -> tuple[str, dict[str, Any]]:
    """Path and body of a small request."""
    match caller:
        case "chat":
            return "/v1/chat/completions", {
                "model": model,
                "messages": [{"role": "user", "content": text}],
                "stream": stream,
            }
        case "responses":
            return "/v1/responses", {"model": model, "input": text, "stream": stream, "store": False}
        case "messages":
            messages = [{"role": "user", "content": text}]
            return "/v1/messages", {"model": model, "messages": messages, "max_tokens": 500, "stream": stream}
        case _:
            method = "streamGenerateContent?alt=sse" if stream else "generateContent"
            return f"/v1beta/models/{model}:{method}", {"contents": [{"role": "user", "parts": [{"text": text}]}]}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    port = free_port()
    with hostile_provider() as base:
        environment = {
            "PATH": "/usr/bin:/bin",
            "DATA_DIR": str(tmp_path_factory.mktemp("hostile")),
            "LOG_LEVEL": "warning",
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": f"{base}/v1",
            "ANTHROPIC_API_KEY": "k",
            "ANTHROPIC_BASE_URL": base,
            "GOOGLE_API_KEY": "k",
            "GOOGLE_BASE_URL": base,
        }
        user = open_accounts(environment, {"a": "50"})["a"]
        serve = ["serve", "--host", "127.0.0.1", "--port", str(port), "--metrics-port", str(free_port())]
        with server(serve, environment, port, "/health") as process:
            stage = Stage(Outsider(f"http://127.0.0.1:{port}", user.api_key), process, environment)
            yield stage
            books = stage.books()
            assert books["sound"], books
            opened = Books(Path(environment["DATA_DIR"]))
            assert opened.number("SELECT count(*) FROM holds WHERE state = 'open'") == 0
            opened.close()


def message_of(caller: str, body: Any) -> str:
    """The sentence of an error where the dialect puts it."""
    error = body[0]["error"] if isinstance(body, list) else body["error"]
    assert {"chat": "type", "responses": "type", "messages": "type", "gemini": "status"}[caller] in error
    text: str = error["message"]
    return text


@pytest.mark.parametrize("mode", WHOLE)
@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("caller", CALLERS)
def test_a_hostile_whole_answer_is_refused_in_the_callers_words(
    stage: Stage, caller: str, upstream: str, mode: str
) -> None:
    answer = stage.ask(caller, UPSTREAMS[upstream], mode, stream=False)
    if mode in READABLE:
        assert answer.status in {200, 502}, answer.raw[:300]
    else:
        assert answer.status == 502, answer.raw[:300]
    if answer.status == 502:
        assert len(message_of(caller, answer.body)) > 20
    else:
        assert float(answer.headers["x-monkey-cost"]) > 0
        answer.raw.decode("utf-8")
    assert stage.process.resident_mebibytes() < MOST_MEBIBYTES


@pytest.mark.parametrize("mode", STREAMED)
@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("caller", CALLERS)
def test_a_hostile_stream_is_cut_and_ended_as_the_dialect_ends(
    stage: Stage, caller: str, upstream: str, mode: str
) -> None:
    answer = stage.ask(caller, UPSTREAMS[upstream], mode, stream=True)
    assert answer.status == 200, answer.raw[:300]
    text = answer.raw.decode("utf-8")
    assert len(text) < 10_000_000
    last = text.rstrip().rsplit("\n\n", 1)[-1]
    ends = {
        "chat": ("data: [DONE]", '"error"'),
        "responses": ("response.incomplete", "response.completed", "response.failed", '"error"'),
        "messages": ("message_stop", "event: error"),
        "gemini": ("finishReason", '"error"'),
    }[caller]
    assert any(end in last for end in ends), text[-600:]
    assert stage.process.resident_mebibytes() < MOST_MEBIBYTES
