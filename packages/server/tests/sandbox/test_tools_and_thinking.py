"""Tool calls, structured answers, thinking and the signatures that guard it."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.sandbox.identifiers import Identifiers
from monkey_coder_server.sandbox.schema_instance import instance
from monkey_coder_server.sandbox.wire_errors import Refused
from packages.server.tests.sandbox.simulating import MODELS, Simulated

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "path": {"type": "string"},
        "lines": {"type": "integer", "minimum": 5, "maximum": 7},
        "mode": {"enum": ["read", "write"]},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    },
    "required": ["path", "lines"],
    "additionalProperties": False,
}
WITH_TOOLS = [name for name in MODELS if name != "perplexity"]


def tools_of(provider: str, *names: str) -> dict[str, Any]:
    if provider == "anthropic":
        return {"tools": [{"name": name, "input_schema": SCHEMA} for name in names]}
    if provider == "google":
        return {"tools": [{"functionDeclarations": [{"name": name, "parameters": SCHEMA} for name in names]}]}
    return {"tools": [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in names]}


def assert_fits(value: dict[str, Any]) -> None:
    assert set(SCHEMA["required"]) <= set(value) <= set(SCHEMA["properties"])
    assert 5 <= value["lines"] <= 7
    assert isinstance(value["path"], str)


@pytest.mark.parametrize("provider", WITH_TOOLS)
def test_a_tool_named_in_the_prompt_is_called_with_fitting_arguments(simulated: Simulated, provider: str) -> None:
    reply = simulated.prompt(provider, "now use the tool edit", **tools_of(provider, "read", "edit")).served.reply
    [call] = reply.tool_calls
    assert (call.name, reply.finish) == ("edit", "tool_calls")
    assert_fits(call.arguments)


@pytest.mark.parametrize("provider", WITH_TOOLS)
def test_tools_are_left_alone_unless_asked_for(simulated: Simulated, provider: str) -> None:
    reply = simulated.prompt(provider, "create a REST API", **tools_of(provider, "read")).served.reply
    assert reply.tool_calls == ()


@pytest.mark.parametrize("provider", WITH_TOOLS)
def test_a_directive_asks_for_several_calls_at_once(simulated: Simulated, provider: str) -> None:
    prompt = """go [[sandbox tool=edit parallel=3 args='{"path": "a.py", "lines": 5}']]"""
    answer = simulated.prompt(provider, prompt, stream=True, **tools_of(provider, "read", "edit"))
    assert [call.arguments for call in answer.served.reply.tool_calls] == [{"path": "a.py", "lines": 5}] * 3


def test_openai_streams_arguments_in_fragments_that_add_up(simulated: Simulated) -> None:
    answer = simulated.prompt("openai", "use the tool edit", stream=True, **tools_of("openai", "edit"))
    deltas = [document["choices"][0]["delta"] for document in answer.documents if document["choices"]]
    fragments = [delta["tool_calls"][0]["function"]["arguments"] for delta in deltas if "tool_calls" in delta]
    assert len(fragments) > 2
    assert_fits(json.loads("".join(fragments)))


def test_anthropic_streams_input_in_fragments_that_add_up(simulated: Simulated) -> None:
    answer = simulated.prompt("anthropic", "use the tool edit", stream=True, **tools_of("anthropic", "edit"))
    fragments = [
        d["delta"]["partial_json"] for d in answer.documents if d.get("delta", {}).get("type") == "input_json_delta"
    ]
    assert fragments[0] == ""
    assert_fits(json.loads("".join(fragments)))


def test_a_required_tool_is_called_whatever_the_prompt(simulated: Simulated) -> None:
    more = tools_of("openai", "read", "edit")
    chosen = {"type": "function", "function": {"name": "edit"}}
    assert simulated.prompt("openai", "hi", tool_choice="required", **more).served.reply.tool_calls
    [call] = simulated.prompt("openai", "hi", tool_choice=chosen, **more).served.reply.tool_calls
    assert call.name == "edit"
    assert not simulated.prompt("openai", "use the tool edit", tool_choice="none", **more).served.reply.tool_calls


def test_results_are_answered_with_text(simulated: Simulated) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "edit", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "use the tool edit [[sandbox tool=edit]]"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "42 files changed"},
    ]
    body = simulated.body("openai", "", messages=messages, **tools_of("openai", "edit"))
    reply = simulated.ask("openai", body).served.reply
    assert reply.tool_calls == ()
    assert "42 files changed" in reply.text


@pytest.mark.parametrize("provider", MODELS)
def test_structured_answers_fit_their_schema(simulated: Simulated, provider: str) -> None:
    if provider == "anthropic":
        more: dict[str, Any] = {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
    elif provider == "google":
        more = {"generationConfig": {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}}
    else:
        described = {"name": "answer", "strict": True, "schema": SCHEMA}
        more = {"response_format": {"type": "json_schema", "json_schema": described}}
    text = simulated.prompt(provider, "fill this in", **more).served.reply.text
    assert_fits(json.loads(text.rpartition("</think>")[2]))


@given(st.integers(min_value=0, max_value=10_000))
@settings(max_examples=50)
def test_recursive_and_combined_schemas_come_to_an_end(seed: int) -> None:
    schema: dict[str, Any] = {
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "name": {"type": ["string", "null"], "maxLength": 3},
                    "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                    "both": {"allOf": [{"type": "integer"}, {"exclusiveMinimum": 100}]},
                },
                "required": ["name", "next"],
            }
        },
        "$ref": "#/$defs/node",
    }
    value = instance(schema, Random(seed))
    assert len(value["name"]) <= 3
    assert value["both"] > 100


def thinking_turn(simulated: Simulated, **change: str) -> dict[str, Any]:
    more = tools_of("anthropic", "edit") | {"thinking": {"type": "enabled", "budget_tokens": 1_024}}
    content = simulated.prompt("anthropic", "use the tool edit", **more).documents[0]["content"]
    assert [block["type"] for block in content] == ["thinking", "tool_use"]
    content[0] |= change
    results = [{"type": "tool_result", "tool_use_id": content[1]["id"], "content": "done"}]
    messages = [
        {"role": "user", "content": "use the tool edit"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": results},
    ]
    return simulated.body("anthropic", "", messages=messages, **more)


def test_a_thinking_block_can_be_sent_back_unchanged(simulated: Simulated) -> None:
    assert "done" in simulated.ask("anthropic", thinking_turn(simulated)).served.reply.text


@pytest.mark.parametrize("change", [{"thinking": "something else"}, {"signature": "Zm9v"}, {"signature": ""}])
def test_a_changed_thinking_block_is_refused(simulated: Simulated, change: dict[str, str]) -> None:
    with pytest.raises(Refused, match="Invalid `signature`"):
        simulated.ask("anthropic", thinking_turn(simulated, **change))


def test_thinking_may_not_be_dropped_before_a_tool_call(simulated: Simulated) -> None:
    body = thinking_turn(simulated)
    del body["messages"][1]["content"][0]
    with pytest.raises(Refused, match="Expected `thinking`"):
        simulated.ask("anthropic", body)


def gemini_turn(simulated: Simulated, signature: str | None) -> dict[str, Any]:
    more = tools_of("google", "edit")
    question = {"role": "user", "parts": [{"text": "use the tool edit"}]}
    answer = simulated.ask("google", {"contents": [question], **more}, model="gemini-3-flash-preview")
    content = answer.documents[0]["candidates"][0]["content"]
    assert "id" not in content["parts"][0]["functionCall"]
    if signature is not None:
        content["parts"][0]["thoughtSignature"] = signature
    if signature == "":
        del content["parts"][0]["thoughtSignature"]
    response = {"role": "user", "parts": [{"functionResponse": {"name": "edit", "response": {"ok": "changed"}}}]}
    return {"contents": [question, content, response], **more}


@pytest.mark.parametrize("signature", [None, "skip_thought_signature_validator"])
def test_a_gemini_call_can_be_sent_back(simulated: Simulated, signature: str | None) -> None:
    answer = simulated.ask("google", gemini_turn(simulated, signature), model="gemini-3-flash-preview")
    assert "changed" in answer.served.reply.text


@pytest.mark.parametrize(("signature", "message"), [("", "missing a thought_signature"), ("Zm9v", "not valid")])
def test_a_gemini_call_without_its_signature_is_refused(simulated: Simulated, signature: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        simulated.ask("google", gemini_turn(simulated, signature), model="gemini-3-flash-preview")


@given(st.text(max_size=80), st.integers(min_value=0))
@settings(max_examples=50)
def test_signatures_hold_for_their_own_text_and_seed_only(text: str, nonce: int) -> None:
    signature = Identifiers(1).signature(nonce, text)
    assert Identifiers(1).issued(signature, text)
    assert Identifiers(1).issued(signature.replace("+", "-").replace("/", "_"), text)
    assert not Identifiers(1).issued(signature, text + "x")
    assert not Identifiers(2).issued(signature, text)


def test_thoughts_are_shown_where_the_provider_shows_them(simulated: Simulated) -> None:
    assert simulated.prompt("xai", "write a parser").documents[0]["choices"][0]["message"]["reasoning_content"]
    assert simulated.prompt("groq", "write a parser").documents[0]["choices"][0]["message"]["reasoning"]
    thinking = simulated.ask("perplexity", simulated.body("perplexity", "hi", model="sonar-reasoning-pro"))
    assert thinking.documents[0]["choices"][0]["message"]["content"].startswith("<think>\n")
    shown = simulated.prompt("google", "hi", generationConfig={"thinkingConfig": {"includeThoughts": True}})
    assert shown.documents[0]["candidates"][0]["content"]["parts"][0]["thought"] is True


@pytest.mark.parametrize("model", ["claude-opus-4-8", "claude-sonnet-5"])
def test_an_instruction_after_the_users_turn_leaves_the_prompt_what_it_was(simulated: Simulated, model: str) -> None:
    plain = simulated.body("anthropic", "create a REST API", model=model)
    late = {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}
    instructed = plain | {"messages": [*plain["messages"], late]}
    said = simulated.ask("anthropic", plain).served
    told = simulated.ask("anthropic", instructed).served
    assert told.reply.text == said.reply.text
    assert told.usage.prompt > said.usage.prompt
