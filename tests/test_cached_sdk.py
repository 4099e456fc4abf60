"""The official SDKs read an answer from the cache as they read any other, whole and as a stream, and pay nothing."""

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from monkey_coder_server.domain.money import parse_usd
from tests.conftest import BIN, RunningGateway, running_gateway
from tests.contract_http import Outsider

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("cache of SDKs")]

MODELS = ("openai/gpt-5-mini", "claude-haiku-4-5", "gemini-2.5-flash", "moonshot/kimi-k2.6")
"""In each dialect: one that speaks it, and others."""
HEADERS = {"x-monkey-cache": "on"}
TOOL = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WAYS = (
    "chat",
    "chat_stream",
    "responses",
    "responses_stream",
    "messages",
    "messages_stream",
    "generate",
    "generate_stream",
)
Ask = Callable[[str, str], Any]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """One of its own, whose usage is counted."""
    with running_gateway(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="module")
def oai(gateway: RunningGateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{gateway.base_url}/v1", api_key=gateway.api_key, max_retries=0, default_headers=HEADERS
    ) as made:
        yield made


@pytest.fixture(scope="module")
def claude(gateway: RunningGateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(
        base_url=gateway.base_url, api_key=gateway.api_key, max_retries=0, default_headers=HEADERS
    ) as made:
        yield made


@pytest.fixture(scope="module")
def gemini(gateway: RunningGateway) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=gateway.base_url, headers=HEADERS)
    with genai.Client(api_key=gateway.api_key, http_options=options) as made:
        yield made


class Chat:
    """Ways to ask OpenAI's SDK; each gives what it made of the answer, without the names an answer has of its own."""

    def __init__(self, oai: openai.OpenAI) -> None:
        self.oai = oai

    def chat(self, model: str, prompt: str) -> Any:
        said: Any = [{"role": "user", "content": prompt}]
        tools: Any = [{"type": "function", "function": {"name": "weather", "parameters": TOOL}}]
        answer = self.oai.chat.completions.create(model=model, messages=said, max_tokens=400, tools=tools)
        return answer.choices[0].model_dump(), answer.usage and answer.usage.total_tokens

    def chat_stream(self, model: str, prompt: str) -> Any:
        said: Any = [{"role": "user", "content": prompt}]
        with self.oai.chat.completions.stream(model=model, messages=said, max_tokens=400) as stream:
            for _ in stream:
                pass
            return stream.get_final_completion().choices[0].model_dump()

    def responses(self, model: str, prompt: str) -> Any:
        answer = self.oai.responses.create(model=model, input=prompt, max_output_tokens=400, store=False)
        return answer.output_text, answer.status, answer.usage and answer.usage.total_tokens

    def responses_stream(self, model: str, prompt: str) -> Any:
        with self.oai.responses.stream(model=model, input=prompt, max_output_tokens=400, store=False) as stream:
            kinds = {event.type for event in stream}
            answer = stream.get_final_response()
        return kinds, answer.output_text, answer.status, answer.usage and answer.usage.total_tokens


class Others:
    """The same with Anthropic's and Google's."""

    def __init__(self, claude: anthropic.Anthropic, gemini: genai.Client) -> None:
        self.claude = claude
        self.gemini = gemini

    def messages(self, model: str, prompt: str) -> Any:
        said: Any = [{"role": "user", "content": prompt}]
        answer = self.claude.messages.create(model=model, max_tokens=400, messages=said)
        return [block.model_dump() for block in answer.content], answer.stop_reason, answer.usage.output_tokens

    def messages_stream(self, model: str, prompt: str) -> Any:
        said: Any = [{"role": "user", "content": prompt}]
        with self.claude.messages.stream(model=model, max_tokens=400, messages=said) as stream:
            text = "".join(stream.text_stream)
            answer = stream.get_final_message()
        return text, answer.stop_reason, answer.usage.output_tokens

    def generate(self, model: str, prompt: str) -> Any:
        answer = self.gemini.models.generate_content(model=model, contents=prompt)
        assert answer.candidates
        return answer.text, answer.candidates[0].finish_reason

    def generate_stream(self, model: str, prompt: str) -> Any:
        chunks = list(self.gemini.models.generate_content_stream(model=model, contents=prompt))
        ends = [chunk.candidates[0].finish_reason for chunk in chunks if chunk.candidates]
        return "".join(chunk.text or "" for chunk in chunks), ends[-1]


@pytest.fixture
def ways(oai: openai.OpenAI, claude: anthropic.Anthropic, gemini: genai.Client) -> dict[str, Ask]:
    """Every way to ask, by its name."""
    chat, others = Chat(oai), Others(claude, gemini)
    asks: tuple[Ask, ...] = (
        *(chat.chat, chat.chat_stream, chat.responses, chat.responses_stream),
        *(others.messages, others.messages_stream, others.generate, others.generate_stream),
    )
    return dict(zip(WAYS, asks, strict=True))


def usage(gateway: RunningGateway) -> dict[str, Any]:
    return dict(Outsider(gateway.base_url, gateway.api_key).get("/v1/billing/usage").body)


@pytest.mark.parametrize("way", WAYS)
def test_a_kept_answer_reads_like_the_first(way: str, ways: dict[str, Ask], gateway: RunningGateway) -> None:
    ask = ways[way]
    prompt = f"Say something by {way}."
    firsts = [ask(model, prompt) for model in MODELS]
    before = usage(gateway)
    assert [ask(model, prompt) for model in MODELS] == firsts
    after = usage(gateway)
    assert after["total_requests"] == before["total_requests"] + len(MODELS)
    assert after["total_cost_usd"] == before["total_cost_usd"]
    assert parse_usd(after["cache_savings_usd"]) > parse_usd(before["cache_savings_usd"])


def test_vectors_are_kept_too(oai: openai.OpenAI) -> None:
    asked = {"model": "text-embedding-3-small", "input": ["one", "two"]}
    raws = [oai.embeddings.with_raw_response.create(**asked) for _ in range(2)]  # type: ignore[arg-type] - plain words
    assert [raw.headers["x-monkey-cache"] for raw in raws] == ["miss", "hit"]
    first, again = [[each.embedding for each in raw.parse().data] for raw in raws]
    assert first == again


def test_what_is_wanted_only_from_the_cache_is_refused_at_once(oai: openai.OpenAI) -> None:
    asking = oai.with_options(max_retries=3)
    with pytest.raises(openai.InternalServerError, match="none is kept") as refused:
        asking.chat.completions.create(
            model=MODELS[0],
            messages=[{"role": "user", "content": "Never asked."}],
            extra_headers={"cache-control": "only-if-cached"},
        )
    assert refused.value.status_code == 504


def test_the_books_are_right_and_a_receipt_tells_of_the_cache(oai: openai.OpenAI, gateway: RunningGateway) -> None:
    said: Any = [{"role": "user", "content": "Say something for a receipt."}]
    first, again = [oai.chat.completions.with_raw_response.create(model=MODELS[0], messages=said) for _ in range(2)]
    assert (again.headers["x-monkey-cost"], again.headers["x-monkey-cache"]) == ("0.00", "hit")
    asker = Outsider(gateway.base_url, gateway.api_key)
    told = asker.get(f"/v1/billing/receipts/{again.headers['x-monkey-receipt']}").body
    receipt = json.loads(told["body"])
    assert [each["outcome"] for each in receipt["attempts"]] == ["cached"]
    assert (receipt["charge_nano"], receipt["hold_nano"]) == (0, 0)
    assert parse_usd(receipt["cache_saving_usd"]) == parse_usd(first.headers["x-monkey-cost"]) > 0
    command = [str(BIN / "monkey-server"), "admin", "ledger", "verify"]
    verified = subprocess.run(command, env=gateway.environment, capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout
