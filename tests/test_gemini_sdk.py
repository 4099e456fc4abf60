"""Google's official SDK in conversations that move from model to model, over the gateway and its simulators.

The simulators refuse a proof of thought they did not issue and a call that lacks the proof it needs.
"""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

import pytest
from google import genai
from google.genai import errors, types

from tests.conftest import RunningGateway

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]

MODELS = (
    "claude-haiku-4-5",
    "gemini-3.8-flash",
    "openai/gpt-5-mini",
    "claude-opus-4-8",
    "gemini-2.5-flash",
    "moonshot/kimi-k2.6",
    "gemini-4-argon",
    "claude-haiku-4-5",
    "auto",
)
"""Thinking by budget, by level, hidden, adaptive and in plain words: everything a proof can be moved between."""
DECLARED = types.FunctionDeclaration(
    name="get_weather",
    description="The weather in a city.",
    parameters_json_schema={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


@pytest.fixture(params=["v1", "v1beta"])
def client(gateway: RunningGateway, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=gateway.base_url, api_version=request.param)
    with genai.Client(api_key=gateway.api_key, http_options=options) as made:
        yield made


def config(*, thoughts: bool, tools: bool = True) -> types.GenerateContentConfig:
    return types.GenerateContentConfig(
        max_output_tokens=8_000,
        system_instruction="Be brief.",
        thinking_config=types.ThinkingConfig(include_thoughts=thoughts, thinking_budget=2_048),
        tools=[types.Tool(function_declarations=[DECLARED])] if tools else None,
    )


def asked(
    client: genai.Client,
    model: str,
    history: list[types.Content],
    settings: types.GenerateContentConfig,
    *,
    stream: bool,
) -> types.Content:
    """The model's turn as a caller of the SDK keeps it."""
    if not stream:
        answer = client.models.generate_content(model=model, contents=history, config=settings)
        assert answer.candidates
        assert answer.candidates[0].content
        return answer.candidates[0].content
    parts: list[types.Part] = []
    ends = 0
    for chunk in client.models.generate_content_stream(model=model, contents=history, config=settings):
        assert chunk.candidates
        ends += chunk.candidates[0].finish_reason is not None
        content = chunk.candidates[0].content
        parts += (content.parts or []) if content else []
    assert ends == 1
    return types.Content(role="model", parts=parts)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("keeps", ["everything", "no thoughts"])
def test_a_tool_loop_moves_through_all_providers(client: genai.Client, stream: bool, keeps: str) -> None:
    """What comes back goes on to the next model; agents as a rule drop the thoughts and keep the calls."""
    history: list[types.Content] = []
    for model in MODELS:
        question = "[[sandbox tool=get_weather parallel=2 reasoning_tokens=40]] Weather?"
        history.append(types.Content(role="user", parts=[types.Part(text=question)]))
        turn = asked(client, model, history, config(thoughts=keeps == "everything"), stream=stream)
        parts = [part for part in turn.parts or [] if keeps == "everything" or not part.thought]
        calls = [part.function_call for part in parts if part.function_call]
        assert [call.name for call in calls] == ["get_weather"] * 2, model
        history.append(types.Content(role="model", parts=parts))
        results = [
            types.Part(
                function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": "rain"})
            )
            for call in calls
        ]
        history.append(types.Content(role="user", parts=results))
        turn = asked(client, model, history, config(thoughts=keeps == "everything"), stream=stream)
        assert any(part.text and not part.thought for part in turn.parts or []), model
        history.append(types.Content(role="model", parts=[part for part in turn.parts or [] if not part.thought]))


@pytest.mark.parametrize("model", MODELS)
def test_a_plain_answer_is_the_same_whole_and_streamed(client: genai.Client, model: str) -> None:
    text = "Rain, and more rain after that."
    question = f'[[sandbox text="{text}"]] Weather?'
    settings = config(thoughts=False, tools=False)
    whole = client.models.generate_content(model=model, contents=question, config=settings)
    chunks = list(client.models.generate_content_stream(model=model, contents=question, config=settings))
    assert whole.text == "".join(chunk.text or "" for chunk in chunks) == text
    for answer in (whole, chunks[-1]):
        assert answer.candidates
        assert answer.candidates[0].finish_reason is types.FinishReason.STOP
        usage = answer.usage_metadata
        assert usage
        assert (usage.prompt_token_count or 0) > 0
        counted = (usage.prompt_token_count, usage.candidates_token_count, usage.thoughts_token_count)
        assert sum(count or 0 for count in counted) == usage.total_token_count
    assert all(earlier.candidates for earlier, _ in pairwise(chunks))


def test_the_cost_stands_in_the_usage_and_in_the_header(client: genai.Client) -> None:
    answer = client.models.generate_content(model="openai/gpt-5-mini", contents="Hi")
    assert answer.sdk_http_response
    headers = answer.sdk_http_response.headers or {}
    assert Decimal(headers["x-monkey-cost"]) > 0
    assert answer.sdk_http_response.body is None or headers["x-monkey-cost"] in answer.sdk_http_response.body


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "openai/gpt-5-mini", "claude-haiku-4-5"])
def test_an_answer_by_schema(client: genai.Client, model: str) -> None:
    schema = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}
    settings = types.GenerateContentConfig(response_mime_type="application/json", response_schema=schema)
    answer = client.models.generate_content(model=model, contents="Where?", config=settings)
    assert isinstance(answer.parsed, dict)
    assert isinstance(answer.parsed["city"], str)


@pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")  # how the SDK makes its own session
async def test_the_same_without_blocking(client: genai.Client) -> None:
    async with client.aio as unblocking:
        asks = [
            unblocking.models.generate_content(model=model, contents="[[sandbox text=Yes.]] Well?")
            for model in MODELS[:4]
        ]
        assert [answer.text for answer in await asyncio.gather(*asks)] == ["Yes."] * 4


def test_errors_are_googles_own(gateway: RunningGateway, client: genai.Client) -> None:
    with pytest.raises(errors.ClientError) as unknown:
        client.models.generate_content(model="nobody/knows", contents="Hi")
    assert (unknown.value.code, unknown.value.status) == (404, "NOT_FOUND")
    stranger = genai.Client(api_key="mk-wrong", http_options=types.HttpOptions(base_url=gateway.base_url))
    with pytest.raises(errors.ClientError) as refused:
        list(stranger.models.generate_content_stream(model="auto", contents="Hi"))
    assert (refused.value.code, refused.value.status) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "openai/gpt-5-mini", "claude-haiku-4-5"])
@pytest.mark.parametrize("fault", ["cut", "eof", "error_event"])
def test_a_stream_that_breaks_ends_readably(client: genai.Client, model: str, fault: str) -> None:
    stream = client.models.generate_content_stream(
        model=model, contents=f"[[sandbox fault={fault} after=4 output_tokens=60]] Tell me."
    )
    seen: list[types.GenerateContentResponse] = []
    told = 502
    try:
        seen.extend(stream)
    except errors.APIError as error:
        told = error.code
    assert told == 502
    assert seen[-1].candidates
    assert seen[-1].candidates[0].finish_reason in {types.FinishReason.MAX_TOKENS, types.FinishReason.OTHER}


def test_tokens_are_counted(client: genai.Client) -> None:
    counted = client.models.count_tokens(model="openai/gpt-5-mini", contents="word " * 200)
    assert 150 < (counted.total_tokens or 0) < 400
