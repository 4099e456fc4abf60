"""A caller's messages stay as they are, field by field, but for what their provider does not take."""

from typing import Any

import pytest

from monkey_coder_server.domain.errors import InvalidRequest
from packages.server.tests.dialects.openai_chat.asking import (
    MODELS,
    SAID,
    dropped,
    turns,
)

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "sunny"}
LONG = "toolu_" + "x" * 50


def test_messages_keep_what_nobody_here_knows() -> None:
    odd = [
        {"role": "system", "content": [{"type": "text", "text": "a", "new": 1}], "new": {"b": []}},
        {"role": "user", "content": [{"type": "video_url", "video_url": {"url": "x"}}], "weight": 0},
        {"role": "assistant", "content": "b", "audio": {"id": "a1"}, "annotations": [], "refusal": None},
    ]
    assert turns(*odd) == odd


@pytest.mark.parametrize("model", [model for model in MODELS if not model.startswith("gpt")])
def test_a_developer_is_the_system_to_others_than_openai(model: str) -> None:
    spoken = {"role": "developer", "content": [{"type": "text", "text": "a", "new": 1}], "new": 1}
    wanted = {**spoken, "role": "system"}
    if model == "sonar":
        assert turns(spoken, *SAID, model=model)[0] == wanted
    else:
        assert turns(spoken, model=model) == [wanted]
    assert turns(spoken) == [spoken]


def test_names_are_left_out_where_they_are_refused() -> None:
    named = {"role": "user", "content": "a", "name": "bo", "new": 1}
    assert turns(named) == [named]
    assert turns(named, model="kimi-k3") == [{"role": "user", "content": "a", "new": 1}]
    assert dropped("kimi-k3", messages=[named]) == ("messages.name",)


THOUGHT = {"role": "assistant", "content": "so", "reasoning_content": "hm", "new": 1}


@pytest.mark.parametrize(
    ("model", "kept"),
    [
        ("gpt-4.1", ()),
        ("openai/gpt-oss-120b", ()),
        ("grok-4.7", ("reasoning_content", "reasoning")),
        ("sonar", ("reasoning_content", "reasoning")),
        ("kimi-k3", ("reasoning_content",)),
    ],
)
def test_reasoning_goes_back_only_where_it_is_taken(model: str, kept: tuple[str, ...]) -> None:
    details = [{"type": "reasoning.text", "text": "hm", "signature": "mk1.anthropic.s"}]
    said = {**THOUGHT, "reasoning": "hm", "reasoning_details": details}
    left = {name: value for name, value in said.items() if name in {"role", "content", "new", *kept}}
    assert turns(*SAID, said, *SAID, model=model)[1] == left
    assert dropped(model, messages=[*SAID, said, *SAID]) == ()


def test_kimi_gets_its_thought_with_its_calls() -> None:
    calling = {"role": "assistant", "content": "", "tool_calls": [CALL]}
    for thought, said in ({}, " "), ({"reasoning_content": None}, " "), ({"reasoning": "hm"}, "hm"):
        wrote = turns(*SAID, {**calling, **thought}, RESULT, model="kimi-k3")[1]
        assert wrote == {**calling, "reasoning_content": said}
    kept = {**calling, "reasoning_content": "mine"}
    assert turns(*SAID, kept, RESULT, model="kimi-k3")[1] == kept


def test_calls_are_changed_only_where_they_must_be() -> None:
    signed = {**CALL, "extra_content": {"google": {"thought_signature": "abc"}}}
    odd = {**CALL, "index": 0, "new": 1}
    calling = {"role": "assistant", "content": None, "new": 1}
    assert turns({**calling, "tool_calls": [odd]}, RESULT)[0]["tool_calls"] == [odd]
    assert turns({**calling, "tool_calls": [signed]}, RESULT)[0] == {**calling, "tool_calls": [CALL]}
    free = {"id": "c1", "type": "custom", "custom": {"name": "shell", "input": "ls"}}
    assert turns({**calling, "tool_calls": [free]}, RESULT)[0]["tool_calls"] == [free]
    function = {"name": "shell", "arguments": '{"input":"ls"}'}
    (told,) = turns({**calling, "tool_calls": [free]}, RESULT, model="grok-4.7")[0]["tool_calls"]
    assert told == {"id": "c1", "type": "function", "function": function}


def test_ids_too_long_for_openai_are_the_same_digest_at_call_and_result() -> None:
    calling = {"role": "assistant", "content": None, "tool_calls": [{**CALL, "id": LONG}]}
    result = {**RESULT, "tool_call_id": LONG, "new": 1}
    called, returned = turns(calling, result)
    short = returned["tool_call_id"]
    assert called["tool_calls"] == [{**CALL, "id": short}]
    assert returned == {**result, "tool_call_id": short}
    assert len(short) <= 40
    assert turns(calling, result, model="grok-4.7") == [calling, result]


@pytest.mark.parametrize("calls", [None, []])
def test_no_calls_are_not_said(calls: Any) -> None:
    assert turns({"role": "assistant", "content": "a", "tool_calls": calls, "function_call": None}) == [
        {"role": "assistant", "content": "a"}
    ]


def test_the_words_that_came_before_tools_are_said_in_todays() -> None:
    wrote = turns(
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}, "new": 1},
        {"role": "function", "name": "f", "content": "sunny", "new": 1},
    )
    assert wrote == [
        {"role": "assistant", "content": None, "new": 1, "tool_calls": [{**CALL, "id": "call_0"}]},
        {"role": "tool", "content": "sunny", "new": 1, "tool_call_id": "call_0"},
    ]


def test_a_refusal_is_plain_text_where_it_has_no_field() -> None:
    refusing = {"role": "assistant", "content": None, "refusal": "No.", "new": 1}
    assert turns(refusing) == [refusing]
    assert turns(refusing, model="grok-4.7") == [{"role": "assistant", "content": "No.", "new": 1}]
    part = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    assert turns(part, model="grok-4.7") == [{"role": "assistant", "content": "No."}]
    echoed = {"role": "assistant", "content": "Yes.", "refusal": None, "annotations": [], "audio": None}
    assert turns(echoed, model="llama-3.1-8b-instant") == [{"role": "assistant", "content": "Yes."}]


def test_marks_for_a_cache_are_left_out() -> None:
    marked = {"type": "text", "text": "long", "cache_control": {"type": "ephemeral"}}
    assert turns({"role": "user", "content": [marked, {"type": "text", "text": "b"}], "new": 1}) == [
        {"role": "user", "content": [{"type": "text", "text": "long"}, {"type": "text", "text": "b"}], "new": 1}
    ]
    said = [{"type": "text", "text": '"cache_control"', "new": 1}]
    own = [{"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}]
    for kept in (said, own):
        assert turns({"role": "user", "content": kept}) == [{"role": "user", "content": kept}]
    result = {**RESULT, "content": [marked]}
    assert turns({"role": "assistant", "content": None, "tool_calls": [CALL]}, result)[1]["content"] == "long"
    beside = {"role": "system", "content": "long", "cache_control": {"type": "ephemeral"}, "new": 1}
    assert turns(beside) == [{"role": "system", "content": "long", "new": 1}]


def test_pictures_of_results_follow_where_a_tools_message_holds_text_only() -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    calling = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    result = {**RESULT, "content": [{"type": "text", "text": "here"}, picture]}
    assert turns(calling, result, *SAID) == [calling, result, *SAID]
    wrote = turns(calling, result, *SAID, model="meta-llama/llama-4-scout-17b-16e-instruct")
    assert [message["role"] for message in wrote] == ["assistant", "tool", "user", "user"]
    assert wrote[2]["content"][1] == picture
    assert wrote[3] == SAID[0]
    assert turns(calling, result, model="meta-llama/llama-4-scout-17b-16e-instruct") == wrote[:3]


def test_documents_are_written_as_the_provider_takes_them() -> None:
    file = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}}
    url = {"type": "file_url", "file_url": {"url": "https://x/p.pdf"}}
    assert turns({"role": "user", "content": [file]})[0]["content"] == [file]
    assert turns({"role": "user", "content": [url]}, model="sonar")[0]["content"] == [url]
    named = {"type": "file_url", "file_url": {"url": "QUJD"}, "file_name": "a.pdf"}
    assert turns({"role": "user", "content": [file]}, model="sonar")[0]["content"] == [named]
    with pytest.raises(InvalidRequest, match="document"):
        turns({"role": "user", "content": [url]})


def test_perplexity_gets_one_user_turn_at_a_time() -> None:
    wrote = turns(
        {"role": "user", "content": "a", "new": 1},
        {"role": "user", "content": [{"type": "text", "text": "b", "new": 2}], "name": "bo"},
        {"role": "assistant", "content": "c"},
        {"role": "user", "content": "d", "new": 3},
        model="sonar",
    )
    both = [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "new": 2}]
    assert wrote == [
        {"role": "user", "content": both, "new": 1},
        {"role": "assistant", "content": "c"},
        {"role": "user", "content": "d", "new": 3},
    ]
