"""A neutral conversation is said in Responses as the model takes it, and what cannot be said is named or refused."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import (
    Document,
    Image,
    Message,
    ModelRequest,
    OutputFormat,
    Reasoning,
    Refusal,
    Role,
    Sampling,
    Text,
    Thinking,
    ToolCall,
    Unknown,
)
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.provider import Provider
from packages.server.tests.dialects import conversations
from packages.server.tests.dialects.conversations import assistant, result, system, user
from packages.server.tests.dialects.openai_responses.asking import (
    CARDS,
    GROK,
    HELLO,
    PLAIN,
    THINKER,
    dialect,
    items,
    wire,
    written,
)

THOUGHT = Thinking("because", signature="gAAA", origin="openai")


def test_a_plain_request_holds_the_model_and_the_words_and_stores_nothing() -> None:
    sent = wire(HELLO, PLAIN)
    assert sent.path == "/responses"
    assert (sent.headers["authorization"], sent.headers["accept"]) == ("Bearer sk-1", "application/json")
    assert sent.body == b'{"model":"gpt-4.1","store":false,"input":[{"role":"user","content":"hello"}]}'
    assert (sent.dropped, sent.anew) == ((), False)


@pytest.mark.parametrize("model", [THINKER, GROK])
def test_a_model_that_reasons_is_asked_for_its_reasoning_in_a_form_to_give_back(model: str) -> None:
    body = written(HELLO, model, stream=True)
    assert (body["stream"], body["store"], body["include"]) == (True, False, ["reasoning.encrypted_content"])


def test_what_has_no_word_here_is_named() -> None:
    sampling = Sampling(100, 0.5, 0.9, 40, 7, ("END",), 0.1, 0.2)
    sent = wire(replace(HELLO, sampling=sampling, user="u1"), PLAIN)
    body = json.loads(sent.body)
    assert (body["max_output_tokens"], body["temperature"], body["top_p"], body["user"]) == (100, 0.5, 0.9, "u1")
    assert set(sent.dropped) == {"stop", "seed", "top_k", "presence_penalty", "frequency_penalty"}
    assert "temperature" not in written(replace(HELLO, sampling=sampling))


def test_a_limit_below_the_smallest_is_raised_to_it() -> None:
    small = replace(HELLO, sampling=Sampling(5))
    assert (written(small)["max_output_tokens"], written(small, GROK)["max_output_tokens"]) == (16, 5)


@pytest.mark.parametrize(
    ("model", "reasoning", "said"),
    [
        (THINKER, Reasoning(effort="high"), {"effort": "high", "summary": "auto"}),
        (THINKER, Reasoning(effort="minimal", include_text=False), {"effort": "low"}),
        (THINKER, Reasoning(enabled=False), {"effort": "none"}),
        (THINKER, Reasoning(), {"summary": "auto"}),
        (THINKER, Reasoning(budget_tokens=60_000), {"effort": "xhigh", "summary": "auto"}),
        ("gpt-6.1-sol", Reasoning(enabled=False), {"effort": "low"}),
        ("gpt-6.1-sol", Reasoning(effort="max"), {"effort": "max", "summary": "auto"}),
        (PLAIN, Reasoning(effort="high"), None),
        (GROK, Reasoning(effort="high"), {"effort": "high"}),
        ("grok-4-0709", Reasoning(effort="high"), None),
    ],
)
def test_the_wish_to_think_is_said_in_the_words_the_model_takes(
    model: str, reasoning: Reasoning, said: dict[str, str] | None
) -> None:
    assert written(replace(HELLO, reasoning=reasoning), model).get("reasoning") == said


def test_a_schema_holds_the_model_as_its_caller_meant_it() -> None:
    closed = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    asked = replace(HELLO, output=OutputFormat("json_schema", closed, name="thing", strict=True))
    strict = {
        "type": "json_schema",
        "name": "thing",
        "schema": {**closed, "additionalProperties": False},
        "strict": True,
    }
    assert written(asked)["text"] == {"format": strict}
    loose = replace(HELLO, output=OutputFormat("json_schema", closed))
    assert "strict" not in written(loose)["text"]["format"]
    assert written(replace(loose, dialect="gemini"))["text"]["format"]["strict"] is True
    assert written(replace(HELLO, output=OutputFormat("json")))["text"] == {"format": {"type": "json_object"}}


def test_a_model_that_cannot_be_held_to_a_schema_is_told_it_in_words() -> None:
    provider, card = CARDS[GROK]
    plain = replace(card, capabilities=frozenset())
    asked = replace(HELLO, output=OutputFormat("json_schema", {"type": "object"}))
    body = json.loads(dialect(provider).encode(asked, card=plain, key="k", stream=False).body)
    assert body["text"] == {"format": {"type": "json_object"}}
    assert '{"type":"object"}' in body["input"][-1]["content"]


def test_what_means_the_same_in_openais_dialects_is_kept() -> None:
    extra = {"prompt_cache_key": "k", "metadata": {"a": "b"}, "safety_identifier": None, "logit_bias": {"1": 2}}
    body = written(replace(HELLO, dialect="openai-chat", extra=extra))
    assert (body["prompt_cache_key"], body["metadata"]) == ("k", {"a": "b"})
    assert body.keys().isdisjoint({"safety_identifier", "logit_bias"})
    assert "prompt_cache_key" not in written(replace(HELLO, dialect="gemini", extra=extra))


def test_what_the_system_says_first_are_instructions_and_later_words_keep_their_place() -> None:
    turns = (
        system("a"),
        Message(Role.SYSTEM, (Text("b"),)),
        user("hi"),
        Message(Role.DEVELOPER, (Text("c"), Text("d"))),
    )
    body = written(ModelRequest(turns))
    assert body["instructions"] == "a\n\nb"
    assert body["input"][1:] == [{"role": "developer", "content": "c\n\nd"}]
    assert items(*turns, model=GROK)[1]["role"] == "system"


def test_images_and_documents_are_input_parts() -> None:
    turn = user(
        "look",
        Image(url="https://x/y.png", detail="low"),
        Image(data="QUJD", media_type="image/jpeg"),
        Document(name="a.pdf", data="QUJD"),
        Document(file_id="file-1"),
        Document(url="https://x/a.pdf"),
        Document(name="n.txt", text="notes"),
    )
    assert items(turn)[0]["content"] == [
        {"type": "input_text", "text": "look"},
        {"type": "input_image", "image_url": "https://x/y.png", "detail": "low"},
        {"type": "input_image", "image_url": "data:image/jpeg;base64,QUJD"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"},
        {"type": "input_file", "file_id": "file-1"},
        {"type": "input_file", "file_url": "https://x/a.pdf"},
        {"type": "input_text", "text": '<document name="n.txt">\nnotes\n</document>'},
    ]


@pytest.mark.parametrize(
    ("part", "model"), [(Image(), THINKER), (Document(name="a.pdf"), THINKER), (Document(data="QUJD"), GROK)]
)
def test_what_cannot_be_given_is_refused_with_a_reason(part: Any, model: str) -> None:
    with pytest.raises(InvalidRequest):
        items(user(part), model=model)


@pytest.mark.parametrize("messages", [(), (system("Be brief."),)], ids=["nothing", "system"])
def test_a_conversation_without_a_turn_is_refused(messages: tuple[Message, ...]) -> None:
    with pytest.raises(InvalidRequest, match="no message"):
        items(*messages)


def test_an_answer_goes_back_item_by_item_in_its_order() -> None:
    call, patch = ToolCall("c1", "weather", '{"city": "Oslo"}'), ToolCall("c2", "apply_patch", "*** x", custom=True)
    wrote = items(user("go"), assistant(THOUGHT, "I ", "look.", call, patch), result("c1", "rain"), result("c2", "ok"))
    assert wrote[1:] == [
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "because"}],
            "encrypted_content": "gAAA",
        },
        {
            "role": "assistant",
            "content": [{"type": "output_text", "text": "I "}, {"type": "output_text", "text": "look."}],
        },
        {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city": "Oslo"}'},
        {"type": "custom_tool_call", "call_id": "c2", "name": "apply_patch", "input": "*** x"},
        {"type": "function_call_output", "call_id": "c1", "output": "rain"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "ok"},
    ]


def test_thoughts_go_back_only_to_who_thought_them_and_only_before_what_they_led_to() -> None:
    theirs = Thinking("no", signature="sig", origin="anthropic")
    bare = Thinking("", signature="gBBB", origin="openai")
    assert [item.get("type") for item in items(user("a"), assistant(theirs, bare, "b"))] == [None, "reasoning", None]
    assert items(user("a"), assistant("b", THOUGHT))[1:] == [
        {"role": "assistant", "content": [{"type": "output_text", "text": "b"}]}
    ]
    split = items(user("a"), assistant(THOUGHT, "b", bare, ToolCall("c", "f", "")))
    assert [item.get("type", item.get("role")) for item in split[1:]] == [
        "reasoning",
        "assistant",
        "reasoning",
        "function_call",
    ]
    assert split[3]["summary"] == []
    assert len(items(user("a"), assistant(THOUGHT, "b"), model=GROK)) == 2


def test_a_model_that_does_not_reason_is_given_no_thoughts() -> None:
    assert len(items(user("a"), assistant(THOUGHT, "b"), model=PLAIN)) == 2


def test_refusals_go_back_as_such_where_that_can_be_said() -> None:
    turn = Message(Role.ASSISTANT, (Refusal("no"),))
    assert items(user("a"), turn)[1]["content"] == [{"type": "refusal", "refusal": "no"}]
    assert items(user("a"), turn, model=GROK)[1]["content"] == [{"type": "output_text", "text": "no"}]


def test_items_of_this_dialect_are_replayed_and_others_left_out() -> None:
    searched = Unknown("openai-responses", {"type": "web_search_call", "id": "ws_1"})
    found = Unknown("openai-responses", {"type": "tool_search_call"})
    foreign = Unknown("gemini", {"type": "web_search_call"})
    turn = Message(Role.ASSISTANT, (searched, found, foreign, Text("b")))
    assert [item.get("type") for item in items(user("a"), turn)] == [None, "web_search_call", None]
    assert items(user("a", Unknown("openai-responses", {"type": "input_audio"})))[0]["content"][1] == {
        "type": "input_audio"
    }


def test_an_empty_call_has_an_empty_object_and_every_id_is_one_the_provider_takes() -> None:
    long, odd = "x" * 65, "call_ä"
    wrote = items(user("a"), assistant(ToolCall(long, "f", ""), ToolCall(odd, "g", "{}")), result(long, "x"))
    assert wrote[1]["arguments"] == "{}"
    assert wrote[1]["call_id"] == wrote[3]["call_id"]
    assert all(len(item["call_id"]) <= 64 and item["call_id"].isascii() for item in wrote[1:])
    assert wrote[1]["call_id"] != wrote[2]["call_id"]


def test_an_id_used_again_is_the_latest_calls() -> None:
    first, second = ToolCall("c", "apply_patch", "x", custom=True), ToolCall("c", "f", "{}")
    wrote = items(user("a"), assistant(first), result("c", "1"), assistant(second), result("c", "2"))
    assert [item["type"] for item in wrote[1:]] == [
        "custom_tool_call",
        "custom_tool_call_output",
        "function_call",
        "function_call_output",
    ]


def test_pictures_of_a_result_stand_in_it_or_follow_it() -> None:
    turns = (
        user("go"),
        assistant(ToolCall("c", "photo", "{}")),
        result("c", "here", Image(data="QUJD", media_type="image/png"), is_error=True),
    )
    picture = {"type": "input_image", "image_url": "data:image/png;base64,QUJD"}
    assert items(*turns)[2]["output"] == [
        {"type": "input_text", "text": "Error:"},
        {"type": "input_text", "text": "here"},
        picture,
    ]
    told, other, shown, said = items(*turns, result("d", "2"), user("and?"), model=GROK)[2:]
    assert told["output"].startswith("Error: here\n")
    assert (other["output"], shown["content"][1], said["content"]) == ("2", picture, "and?")
    assert items(*turns, model=GROK)[-1] == shown


def test_results_come_before_what_is_said_beside_them() -> None:
    mixed = Message(Role.USER, (Text("and?"), *result("c", "boom", is_error=True).parts))
    wrote = items(assistant(ToolCall("c", "f", "{}")), mixed)
    assert wrote[1:] == [
        {"type": "function_call_output", "call_id": "c", "output": "Error: boom"},
        {"role": "user", "content": "and?"},
    ]


TARGETS = list(CARDS.values())


def strings_in(value: object) -> str:
    """Every string of a JSON document, joined."""
    if isinstance(value, dict):
        return "\n".join(strings_in(inner) for inner in value.values())
    if isinstance(value, list):
        return "\n".join(strings_in(inner) for inner in value)
    return value if isinstance(value, str) else ""


@settings(deadline=None)
@given(request=conversations.requests, target=st.sampled_from(TARGETS), stream=st.booleans())
def test_encoding_loses_no_text_and_fails_only_with_a_sentence(
    request: ModelRequest, target: tuple[Provider, ModelCard], stream: bool
) -> None:
    provider, card = target
    sent, refusal = [], "a sentence."
    try:
        sent = [dialect(provider).encode(request, card=card, key="k", stream=stream) for _ in range(2)]
    except InvalidRequest as refused:
        refusal = refused.message
    assert refusal.endswith(".")
    assert sent[1:] == sent[:1]
    said = strings_in(json.loads(sent[0].body)) if sent else None
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, Text):
                assert said is None or part.text in said


@settings(deadline=None)
@given(said=st.lists(st.tuples(conversations.spoken, conversations.spoken, st.booleans()), min_size=1, max_size=4))
@pytest.mark.parametrize("model", [THINKER, GROK])
def test_the_next_turn_begins_with_the_bytes_of_this_one(model: str, said: list[tuple[str, str, bool]]) -> None:
    turns: list[Message] = [system("Be brief.")]
    earlier = b""
    for number, (question, answer, calls) in enumerate(said):
        turns.append(user(question))
        sent = wire(ModelRequest(tuple(turns), tools=(conversations.WEATHER,)), model, stream=True).body
        assert sent.startswith(earlier)
        assert sent.endswith(b"]}")
        earlier = sent.removesuffix(b"]}") + b","
        thought = Thinking("hm", signature="gAAA", origin=CARDS[model][0].name)
        turns.append(assistant(thought, answer))
        if calls:
            turns[-1] = assistant(thought, answer, ToolCall(f"c{number}", "get_weather", "{}"))
            turns.append(result(f"c{number}", "rain"))
