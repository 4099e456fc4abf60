"""The official SDKs under an idempotency key: their own retries end in the first answer, charged once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from uuid import uuid4

import anthropic
import openai
import pytest

from tests.conftest import RunningGateway, running_gateway
from tests.contract_http import Outsider

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("idempotency of SDKs")]

MODEL = "openai/gpt-5-mini"
SLOW = "[[sandbox first_token_ms=1500]] Say something."
Ask = Callable[[str, str], str]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """One of its own: elsewhere a request may be booked while the charges here are counted."""
    with running_gateway(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture
def chat(gateway: RunningGateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.base_url}/v1", api_key=gateway.api_key, max_retries=2) as made:
        yield made


@pytest.fixture
def messages(gateway: RunningGateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway.base_url, api_key=gateway.api_key, max_retries=2) as made:
        yield made


@pytest.fixture(params=["chat", "chat-stream", "responses", "messages", "messages-stream"])
def ask(request: pytest.FixtureRequest, chat: openai.OpenAI, messages: anthropic.Anthropic) -> Ask:
    """Asks in one way and gives the id of the answer."""

    def by_chat(prompt: str, key: str) -> str:
        said = [{"role": "user", "content": prompt}]
        return chat.chat.completions.create(model=MODEL, messages=said, extra_headers={"Idempotency-Key": key}).id  # type: ignore[arg-type] - a plain message

    def by_chat_stream(prompt: str, key: str) -> str:
        said = [{"role": "user", "content": prompt}]
        chunks = chat.chat.completions.create(
            model=MODEL,
            messages=said,  # type: ignore[arg-type] - a plain message
            stream=True,
            extra_headers={"Idempotency-Key": key},
        )
        return {chunk.id for chunk in chunks}.pop()

    def by_responses(prompt: str, key: str) -> str:
        return chat.responses.create(model=MODEL, input=prompt, extra_headers={"Idempotency-Key": key}).id

    def by_messages(prompt: str, key: str) -> str:
        said = [{"role": "user", "content": prompt}]
        return messages.messages.create(
            model=MODEL,
            max_tokens=500,
            messages=said,  # type: ignore[arg-type] - a plain message
            extra_headers={"Idempotency-Key": key},
        ).id

    def by_messages_stream(prompt: str, key: str) -> str:
        said = [{"role": "user", "content": prompt}]
        with messages.messages.stream(
            model=MODEL,
            max_tokens=500,
            messages=said,  # type: ignore[arg-type] - a plain message
            extra_headers={"Idempotency-Key": key},
        ) as stream:
            return stream.get_final_message().id

    ways = {
        "chat": by_chat,
        "chat-stream": by_chat_stream,
        "responses": by_responses,
        "messages": by_messages,
        "messages-stream": by_messages_stream,
    }
    return ways[request.param]


def charges(gateway: RunningGateway) -> int:
    usage = Outsider(gateway.base_url, gateway.api_key).get("/v1/billing/usage")
    return int(usage.body["total_requests"])


def test_a_repeat_after_the_answer_is_the_same_answer(ask: Ask, gateway: RunningGateway) -> None:
    before, key = charges(gateway), f"key-{uuid4()}"
    first = ask("Say something.", key)
    assert ask("Say something.", key) == first
    assert charges(gateway) == before + 1


def test_the_sdk_waits_for_an_answer_that_is_on_its_way(ask: Ask, gateway: RunningGateway) -> None:
    before, key = charges(gateway), f"key-{uuid4()}"
    with ThreadPoolExecutor(1) as other:
        first = other.submit(ask, SLOW, key)
        sleep(0.5)
        assert ask(SLOW, key) == first.result()
    assert charges(gateway) == before + 1


def test_another_body_raises_the_sdks_own_error_at_once(chat: openai.OpenAI, messages: anthropic.Anthropic) -> None:
    key = f"key-{uuid4()}"
    headers = {"Idempotency-Key": key}
    chat.responses.create(model=MODEL, input="one", extra_headers=headers)
    with pytest.raises(openai.UnprocessableEntityError, match="another body"):
        chat.responses.create(model=MODEL, input="two", extra_headers=headers)
    with pytest.raises(anthropic.UnprocessableEntityError, match="another body"):
        messages.messages.create(
            model=MODEL, max_tokens=5, messages=[{"role": "user", "content": "x"}], extra_headers=headers
        )
