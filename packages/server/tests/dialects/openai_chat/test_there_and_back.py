"""What a caller says in chat completions is in the neutral conversation whole: written anew, it is the same again."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.providers import anthropic, google
from packages.server.tests.dialects.conversations import json_values
from packages.server.tests.dialects.openai_chat.asking import CARDS, FRONT, NOBODY, written
from packages.server.tests.dialects.test_any_conversation import strings_in

words = st.text(min_size=1, max_size=12)
names = st.sampled_from(["f", "get_weather", "shell-1"])
text_parts = words.map(lambda text: {"type": "text", "text": text})
images = st.sampled_from(
    [
        {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,QUJD"}},
    ]
)
files = st.sampled_from(
    [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}},
        {"type": "file", "file": {"file_id": "file-1"}},
    ]
)
contents = words | st.builds(
    lambda part, more: [part, *more], images | files, st.lists(text_parts | images, max_size=2)
)
functions = st.builds(
    lambda name, arguments: {"type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}},
    names,
    st.dictionaries(words, json_values, max_size=2),
)
customs = st.builds(lambda name, text: {"type": "custom", "custom": {"name": name, "input": text}}, names, words)


@st.composite
def _turns(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Some of what is said, each thing in the one form it is written in."""
    match draw(st.sampled_from(["system", "developer", "user", "assistant", "calls"])):
        case "user":
            spoken = {"role": "user", "content": draw(contents)}
            return [spoken | draw(st.sampled_from([{}, {"name": "bo"}]))]
        case "assistant":
            return [{"role": "assistant", "content": draw(words)} | draw(st.sampled_from([{}, {"refusal": "No."}]))]
        case "calls":
            calls = draw(st.lists(functions | customs, min_size=1, max_size=3))
            numbered = [{"id": f"call_{number}", **call} for number, call in enumerate(calls)]
            results = [{"role": "tool", "tool_call_id": call["id"], "content": draw(words)} for call in numbered]
            said = draw(st.none() | words)
            return [{"role": "assistant", "content": said, "tool_calls": numbered}, *results]
        case role:
            return [{"role": role, "content": draw(words)}]


tools = st.lists(
    st.sampled_from(
        [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}},
            {"type": "function", "function": {"name": "g", "description": "G", "parameters": {}, "strict": False}},
            {"type": "custom", "custom": {"name": "shell", "description": "Runs"}},
            {
                "type": "custom",
                "custom": {
                    "name": "patch",
                    "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: A"}},
                },
            },
        ]
    ),
    min_size=1,
    max_size=4,
    unique_by=json.dumps,
)
choices = st.sampled_from(["auto", "none", "required", {"type": "function", "function": {"name": "f"}}])
formats = st.sampled_from(
    [
        {"type": "json_object"},
        {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}, "strict": False}},
        {"type": "json_schema", "json_schema": {"name": "a", "schema": {"x": [1]}}},
    ]
)
options = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "presence_penalty": st.floats(-2, 2),
        "frequency_penalty": st.floats(-2, 2),
        "seed": st.integers(-9, 9),
        "stop": st.lists(words, min_size=1, max_size=4),
        "max_completion_tokens": st.integers(1, 9_999),
        "response_format": formats,
        "user": words,
        "metadata": st.dictionaries(words, words, max_size=2),
        "logit_bias": st.just({"50256": -100}),
    },
)
bodies = st.builds(
    lambda turns, asked, offered, choice: {
        "messages": [message for each in turns for message in each],
        **asked,
        **({"tools": offered, "tool_choice": choice} if offered else {}),
    },
    st.lists(_turns(), min_size=1, max_size=4),
    options,
    st.just([]) | tools,
    choices,
)


@given(bodies)
def test_openai_is_told_the_same_anew(body: dict[str, Any]) -> None:
    request = FRONT.read(json.dumps(body).encode(), NOBODY).request
    assert written(replace(request, source=None)) == {**body, "model": "gpt-4.1"}


@given(
    bodies,
    st.sampled_from([*CARDS.values(), *((p, card) for p in (anthropic.PROVIDER, google.PROVIDER) for card in p.cards)]),
)
def test_no_word_is_lost_on_the_way_to_any_model(body: dict[str, Any], target: Any) -> None:
    provider, card = target
    request = replace(FRONT.read(json.dumps(body).encode(), NOBODY).request, source=None)
    sent, refusal = None, "a sentence."
    try:
        sent = provider.dialect.encode(request, card=card, key="k", stream=True).body
    except InvalidRequest as refused:
        refusal = refused.message
    assert refusal.endswith(".")
    told = None if sent is None else strings_in(json.loads(sent))
    for message in body["messages"]:
        content = message["content"]
        said = content if isinstance(content, str) else ""
        assert told is None or said in told or not said.strip()


@pytest.mark.parametrize("model", ["gpt-4.1", "kimi-k3", "grok-4.7", "llama-3.3-70b-versatile"])
@given(turns=st.lists(_turns(), min_size=2, max_size=4))
def test_relayed_or_written_anew_a_chat_provider_is_told_the_same(model: str, turns: list[Any]) -> None:
    body = json.dumps({"messages": [message for each in turns for message in each], "max_tokens": 9}).encode()
    request = FRONT.read(body, NOBODY).request
    both = []
    for each in (request, replace(request, source=None)):
        try:
            both.append(written(each, model))
        except InvalidRequest as refused:
            both.append({"refused": refused.message})
    assert both[0] == both[1]
