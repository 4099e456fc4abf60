"""Responses over real sockets: read by the official SDK, and broken where a directive says so."""

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientSession
from openai import AsyncOpenAI, BadRequestError

from monkey_coder_server.sandbox.server import RunningSandbox
from packages.server.tests.sandbox.simulating import MODELS, RESPONDING

pytestmark = pytest.mark.system

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}


@pytest.mark.parametrize("provider", RESPONDING)
async def test_the_official_sdk_reads_what_is_served(sandbox: RunningSandbox, provider: str) -> None:
    client = AsyncOpenAI(base_url=sandbox.base_urls[provider], api_key="test-key", max_retries=0)
    async with client:
        tools: Any = [WEATHER]
        told = await client.responses.create(model=RESPONDING[provider], input="use the tool weather", tools=tools)
        assert [item.type for item in told.output][-1] == "function_call"
        async with client.responses.stream(model=RESPONDING[provider], input="create a REST API") as stream:
            seen = [event.type async for event in stream]
            final = await stream.get_final_response()
        assert seen[0] == "response.created"
        assert final.output_text
        assert final.usage is not None
        with pytest.raises(BadRequestError):
            await client.responses.create(model=RESPONDING[provider], input=[])
    books = [entry for entry in sandbox.tally.entries if entry.outcome == "served"]
    assert [entry.answer_id for entry in books] == [told.id, final.id]
    assert final.usage.output_tokens == books[1].usage.output + books[1].usage.reasoning


async def test_an_unknown_model_is_not_found_as_openai_says_it(sandbox: RunningSandbox) -> None:
    async with AsyncOpenAI(base_url=sandbox.base_urls["openai"], api_key="k", max_retries=0) as client:
        with pytest.raises(BadRequestError) as refused:
            await client.responses.create(model="gpt-none", input="hi")
        assert refused.value.code == "model_not_found"
        told = await client.responses.create(model="gpt-5.3-codex", input="hi")
        assert told.status == "completed"


async def test_a_prompt_that_is_too_long_is_refused_as_openai_says_it(sandbox: RunningSandbox) -> None:
    async with AsyncOpenAI(base_url=sandbox.base_urls["openai"], api_key="k", max_retries=0) as client:
        with pytest.raises(BadRequestError) as refused:
            await client.responses.create(model="gpt-4o", input="x" * 600_000)
        assert refused.value.code == "context_length_exceeded"


async def post(client: ClientSession, sandbox: RunningSandbox, provider: str, prompt: str) -> bytes:
    body = {"model": RESPONDING[provider], "input": prompt, "stream": True}
    async with client.post(f"{sandbox.base_urls[provider]}/responses", json=body) as response:
        return await response.read()


@pytest.mark.parametrize("provider", RESPONDING)
async def test_a_stream_breaks_as_it_is_told(client: ClientSession, sandbox: RunningSandbox, provider: str) -> None:
    broken = await post(client, sandbox, provider, "hi [[sandbox fault=error_event]]")
    assert b"event: error" in broken
    assert b"response.completed" not in broken
    endless = await post(client, sandbox, provider, "hi [[sandbox fault=no_end]]")
    assert b"response.output_item.done" in endless
    assert b"response.completed" not in endless
    assert [entry.outcome for entry in sandbox.tally.entries] == ["faulted", "faulted"]
    assert sandbox.tally.cost_nanos() == 0


async def test_lines_end_as_they_are_told(client: ClientSession, sandbox: RunningSandbox) -> None:
    body = await post(client, sandbox, "openai", "hi [[sandbox fault=crlf]]")
    assert body.count(b"\n") == body.count(b"\r\n") > 3
    assert [entry.outcome for entry in sandbox.tally.entries] == ["served"]


@pytest.mark.parametrize("provider", MODELS)
async def test_a_stream_without_its_end_is_billed_only_when_all_had_been_said(
    send: Callable[..., Any], sandbox: RunningSandbox, provider: str
) -> None:
    whole = await (await send(provider, "hi", stream=True)).text()
    endless = await (await send(provider, "hi [[sandbox fault=no_end]]", stream=True)).text()
    assert whole.count("data: ") == endless.count("data: ") + 1
    assert "[DONE]" not in endless
    outcome = "served" if "[DONE]" in whole else "faulted"
    assert [entry.outcome for entry in sandbox.tally.entries] == ["served", outcome]
