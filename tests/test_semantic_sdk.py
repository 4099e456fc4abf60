"""A gateway with the semantic cache on, asked in other words by official SDKs; one whose extra is missing at start."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest

from monkey_coder_server.adapters.embedding.wordllama import missing
from tests.conftest import RunningGateway, running_gateway
from tests.contract_http import Outsider

pytestmark = [
    pytest.mark.system,
    pytest.mark.xdist_group("semantic cache"),
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
]

MODEL = "openai/gpt-5-mini"
SEMANTIC = {"x-monkey-cache": "semantic"}
WORDINGS = (
    "Write a python function to find the longest word in a given list of words.",
    "Please write a Python function that finds the longest word in the given list of words!",
    "Write a python function to find the shortest word in a given list of words.",
)
WITHOUT = "import sys; sys.modules['wordllama'] = None; from monkey_coder_server.__main__ import main; sys.exit(main())"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    with running_gateway(tmp_path_factory.mktemp("data"), SEMANTIC_CACHE="opt-in") as running:
        yield running


def figure(gateway: RunningGateway, name: str) -> float:
    told = Outsider(gateway.metrics_url).get("/metrics").raw.decode()
    return float(told.partition(f"\nmonkey_coder_response_cache_{name} ")[2].partition("\n")[0])


def wait_for_entries(gateway: RunningGateway, count: int) -> None:
    """An answer is noted behind its caller's back."""
    over = time.monotonic() + 10
    while figure(gateway, "entries") < count:
        assert time.monotonic() < over
        time.sleep(0.02)


def test_answers_are_had_in_other_words_and_never_to_another_request(gateway: RunningGateway) -> None:
    told, entries = [], figure(gateway, "entries")
    with openai.OpenAI(base_url=f"{gateway.base_url}/v1", api_key=gateway.api_key, default_headers=SEMANTIC) as client:
        for words in WORDINGS:
            answer = client.chat.completions.with_raw_response.create(
                model=MODEL, messages=[{"role": "user", "content": words}]
            )
            told.append(answer)
            wait_for_entries(gateway, int(entries) + 2)
    first, again, other = (each.headers["x-monkey-cache"] for each in told)
    assert (first, again.partition("=")[0], other) == ("miss", "semantic; similarity", "miss")
    assert 0.91 <= float(again.partition("=")[2]) < 1.0
    texts = [each.parse().choices[0].message.content for each in told]
    assert texts[0] == texts[1]
    assert told[1].headers["x-monkey-cost"] == "0.00"
    assert figure(gateway, "reworded") >= 1


def test_streams_too(gateway: RunningGateway) -> None:
    texts, status, entries = [], "", figure(gateway, "entries")
    with anthropic.Anthropic(base_url=gateway.base_url, api_key=gateway.api_key, default_headers=SEMANTIC) as client:
        for words in WORDINGS[:2]:
            said: list[Any] = [{"role": "user", "content": words}]
            with client.messages.stream(model=MODEL, max_tokens=4_000, messages=said) as stream:
                texts.append(stream.get_final_text())
                status = stream.response.headers["x-monkey-cache"]
            wait_for_entries(gateway, int(entries) + 2)
    assert status.startswith("semantic; similarity=0.9")
    assert texts[0] == texts[1]


def test_without_its_extra_the_gateway_does_not_start_and_says_what_to_install(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "SEMANTIC_CACHE": "opt-in"}
    command = [sys.executable, "-c", WITHOUT, "serve", "--port", "0"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (78, "")
    assert "pip install monkey-coder-server[semantic]" in ended.stderr
