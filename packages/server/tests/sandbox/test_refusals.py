"""The simulators turn away what the real providers turn away, in their words."""

from typing import Any

import pytest

from monkey_coder_server.sandbox import keys, wire_errors, wording
from monkey_coder_server.sandbox.wire_errors import Refused
from packages.server.tests.sandbox.simulating import MODELS, Simulated

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
USER = {"role": "user", "content": "hi"}
SYSTEM = {"role": "system", "content": "Be brief."}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "ok"}
USE = {"type": "tool_use", "id": "t1", "name": "weather", "input": {}}


def chat(provider: str, message: str, **change: Any) -> Any:
    name = "-".join([provider, *change.keys(), message[:20]])
    return pytest.param(provider, change, message, id=name)


@pytest.mark.parametrize(
    ("provider", "change", "message"),
    [
        chat("openai", "Missing required parameter: 'messages'", messages=None),
        chat("openai", "empty array", messages=[]),
        chat("openai", "expected an array of objects", messages="hi"),
        chat("openai", "Invalid value: 'robot'", messages=[{"role": "robot", "content": "x"}]),
        chat("openai", "preceeding message with 'tool_calls'", messages=[USER, {"role": "tool", "content": "x"}]),
        chat(
            "openai",
            "did not have response messages: c1",
            messages=[USER, {"role": "assistant", "content": None, "tool_calls": [CALL]}, USER],
        ),
        chat("openai", "Unknown parameter: 'foo'", foo=1),
        chat("openai", "'max_tokens' is not supported", model="gpt-5", max_tokens=5),
        chat("openai", "'temperature' does not support 0.2", model="gpt-5", temperature=0.2),
        chat("openai", "'stop' is not supported", model="gpt-5", stop=["x"]),
        chat("openai", "max_tokens is too large: 999999", max_tokens=999_999),
        chat("openai", "decimal above maximum value", temperature=3),
        chat("openai", "expected a decimal, but got a string", temperature="hot"),
        chat("openai", "integer below minimum value", max_tokens=0),
        chat("openai", "only allowed when 'stream' is enabled", stream_options={"include_usage": True}),
        chat("openai", "must contain the word 'json'", response_format={"type": "json_object"}),
        chat(
            "openai",
            "'additionalProperties' is required",
            response_format={"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": SCHEMA}},
        ),
        chat("openai", "does not match pattern", tools=[{"type": "function", "function": {"name": "a b"}}]),
        chat("openai", "either text or image_url", messages=[{"role": "user", "content": [{"type": "video"}]}]),
        chat("groq", "property 'foo' is unsupported", foo=1),
        chat("groq", "must be less than or equal to", max_tokens=999_999),
        chat(
            "groq",
            "property 'reasoning_content' is unsupported",
            messages=[USER, {"role": "assistant", "content": "x", "reasoning_content": "y"}, USER],
        ),
        chat("xai", "does not support parameter stop", model="grok-4-0709", stop=["x"]),
        chat("moonshot", "only 1 is allowed", temperature=0.3),
        chat(
            "moonshot",
            "reasoning_content is missing",
            messages=[
                USER,
                {"role": "assistant", "content": "", "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "c1", "content": "x"},
            ],
        ),
        chat("perplexity", "Tool calling is not supported", tools=[TOOL]),
        chat("perplexity", "should alternate", messages=[USER, USER]),
        chat("perplexity", "Last message must have role", messages=[USER, {"role": "assistant", "content": "x"}]),
        chat("anthropic", "max_tokens: Field required", max_tokens=None),
        chat("anthropic", "999999 > 64000", max_tokens=999_999),
        chat("anthropic", "messages: Field required", messages=None),
        chat("anthropic", 'Unexpected role "robot"', messages=[{"role": "robot", "content": "x"}]),
        chat("anthropic", "use the top-level 'system' parameter", messages=[SYSTEM, USER]),
        chat("anthropic", "role 'system' is not supported on this model", messages=[USER, SYSTEM]),
        chat(
            "anthropic",
            "must follow a 'user' message",
            model="claude-opus-4-8",
            messages=[USER, {"role": "assistant", "content": "x"}, SYSTEM],
        ),
        chat("anthropic", "or end the conversation", model="claude-opus-5", messages=[USER, SYSTEM, USER]),
        chat("anthropic", "must have non-empty content", messages=[{"role": "user", "content": ""}]),
        chat(
            "anthropic",
            "text content blocks must be non-empty",
            messages=[{"role": "user", "content": [{"type": "text", "text": ""}]}],
        ),
        chat(
            "anthropic",
            'first message must use the "user" role',
            messages=[{"role": "assistant", "content": "x"}, USER],
        ),
        chat("anthropic", "unexpected `tool_use_id`", messages=[{"role": "user", "content": [RESULT]}]),
        chat(
            "anthropic", "without `tool_result` blocks", messages=[USER, {"role": "assistant", "content": [USE]}, USER]
        ),
        chat("anthropic", "foo: Extra inputs are not permitted", foo=1),
        chat("anthropic", "temperature: range: 0..1", temperature=1.5),
        chat("anthropic", "greater than or equal to 1024", thinking={"type": "enabled", "budget_tokens": 5}),
        chat(
            "anthropic", "must be greater than `thinking.budget", thinking={"type": "enabled", "budget_tokens": 4_000}
        ),
        chat(
            "anthropic", "may only be set to 1", temperature=0.5, thinking={"type": "enabled", "budget_tokens": 1_024}
        ),
        chat("anthropic", "Tool names must be unique", tools=[{"name": "a", "input_schema": {}}] * 2),
        chat("anthropic", "not found in provided tools", tool_choice={"type": "tool", "name": "a"}),
        chat("anthropic", "prefill", model="claude-opus-4-6", messages=[USER, {"role": "assistant", "content": "x"}]),
        chat(
            "anthropic",
            "must not come after a ttl='5m'",
            system=[
                {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
                {"type": "text", "text": "b", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
            ],
        ),
        chat(
            "anthropic",
            "Found 5",
            system=[{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}] * 5,
        ),
        chat(
            "anthropic",
            "messages.1.content.0.thinking.cache_control: Extra inputs are not permitted",
            messages=[
                USER,
                {"role": "assistant", "content": [{"type": "thinking", "cache_control": {"type": "ephemeral"}}]},
                USER,
            ],
        ),
        chat(
            "anthropic",
            "cache_control cannot be set for empty text blocks",
            messages=[
                {
                    "role": "user",
                    "content": [{"type": "text", "text": " ", "cache_control": {"type": "ephemeral"}}, RESULT],
                }
            ],
        ),
        chat("google", "contents is not specified", contents=[]),
        chat("google", "must not be empty", contents=[{"role": "user", "parts": []}]),
        chat("google", "valid role", contents=[{"role": "system", "parts": [{"text": "x"}]}]),
        chat("google", 'Unknown name "foo"', foo=1),
        chat("google", "maxOutputTokens value of 999999", generationConfig={"maxOutputTokens": 999_999}),
        chat("google", "[0.0, 2.0]", generationConfig={"temperature": 3}),
        chat(
            "google",
            "number of function response parts",
            contents=[{"role": "user", "parts": [{"functionResponse": {"name": "a", "response": {}}}]}],
        ),
    ],
)
def test_a_bad_request_is_refused_as_the_provider_would(
    simulated: Simulated, provider: str, change: dict[str, Any], message: str
) -> None:
    body = {key: value for key, value in (simulated.body(provider, "hi") | change).items() if value is not None}
    with pytest.raises(Refused, match=r".") as caught:
        simulated.ask(provider, body)
    assert message in caught.value.message
    assert wire_errors.status(provider, caught.value.kind) == 400


@pytest.mark.parametrize(("provider", "status"), [(name, 400 if name == "perplexity" else 404) for name in MODELS])
def test_an_unknown_model_is_named_in_the_refusal(provider: str, status: int) -> None:
    with pytest.raises(Refused, match="no-such-model") as caught:
        wording.known(provider, "no-such-model", None)
    assert wire_errors.status(provider, caught.value.kind) == status


def test_a_model_of_the_responses_api_is_no_chat_model(simulated: Simulated) -> None:
    with pytest.raises(Refused, match="not a chat model"):
        wording.known("openai", "gpt-5-pro", simulated.world.card("openai", "gpt-5-pro"))


@pytest.mark.parametrize(("provider", "status"), [(name, 400 if name in {"xai", "google"} else 401) for name in MODELS])
def test_a_bad_key_is_refused_with_the_provider_s_own_status(provider: str, status: int) -> None:
    name = {"anthropic": "x-api-key", "google": "x-goog-api-key"}.get(provider, "authorization")
    key = "bad-key-of-a-test" if name != "authorization" else "Bearer bad-key-of-a-test"
    with pytest.raises(Refused) as caught:
        keys.check(provider, {name: key}, {})
    assert wire_errors.status(provider, caught.value.kind) == status
    assert "bad-key-of-a-test" not in caught.value.message
    keys.check(provider, {name: key.replace("bad-", "good-")}, {})


@pytest.mark.parametrize("provider", MODELS)
def test_a_missing_key_is_refused(provider: str) -> None:
    with pytest.raises(Refused):
        keys.check(provider, {}, {})


@pytest.mark.parametrize("provider", MODELS)
def test_a_body_that_is_no_json_is_refused(provider: str) -> None:
    for raw in (b"{", b"[1]", b"\xff"):
        with pytest.raises(Refused):
            wording.decoded(provider, raw)


@pytest.mark.parametrize("provider", MODELS)
def test_a_prompt_beyond_the_window_is_refused(provider: str) -> None:
    wording.fits(provider, 10, 10)
    with pytest.raises(Refused):
        wording.fits(provider, 11, 10)


def test_a_retry_hint_reaches_the_place_each_provider_uses() -> None:
    refused = Refused("rate_limit", "slow down")
    moonshot = wire_errors.render("moonshot", refused, request_id="r", retry_after="3")
    assert moonshot.headers["msh-cooldown-seconds"] == "3"
    assert wire_errors.render("openai", refused, request_id="r", retry_after="3").headers["retry-after"] == "3"
    assert b'"retryDelay": "3s"' in wire_errors.render("google", refused, request_id="r", retry_after="3").body
    assert b'"request_id":"r"' in wire_errors.render("anthropic", refused, request_id="r").body
