"""A caller's own request is sent on byte for byte, but for what is ours to say and what the model does not take."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Text, Tool, ToolCall, ToolChoice
from monkey_coder_server.domain.errors import InvalidRequest
from packages.server.tests.dialects.conversations import json_values
from packages.server.tests.dialects.openai_responses.asking import GROK, PLAIN, THINKER, own, passed, wire

ASKED = {"model": "auto", "input": [{"role": "user", "content": "hello"}]}
SOL = "gpt-6.1-sol"


def reasoning(proof: str | None) -> dict[str, Any]:
    item = {"type": "reasoning", "id": "rs_1", "summary": []}
    return item if proof is None else {**item, "encrypted_content": proof}


def test_every_value_keeps_its_bytes_and_its_place() -> None:
    body = (
        b'{"model": "auto", "x_new": {"b":  1.50, "a": [ ]},\n "input": [ {"role":"user", "content": "h\\u00e9"} ],'
        b' "metadata": {"k":"v"}, "max_output_tokens": 9, "prompt_cache_key": "p"}'
    )
    sent = wire(own(body, limit=50), PLAIN, stream=True)
    assert sent.body == (
        b'{"model":"gpt-4.1","x_new":{"b":  1.50, "a": [ ]},"input":[ {"role":"user", "content": "h\\u00e9"} ],'
        b'"metadata":{"k":"v"},"max_output_tokens":50,"prompt_cache_key":"p","store":false,"stream":true}'
    )
    assert (sent.dropped, sent.anew) == ((), False)
    assert (sent.headers["openai-beta"], sent.headers["authorization"]) == ("x", "Bearer sk-1")


@settings(deadline=None)
@given(extra=st.dictionaries(st.text(min_size=1, max_size=8).map(lambda name: f"x_{name}"), json_values, max_size=4))
@pytest.mark.parametrize("model", [THINKER, PLAIN, GROK])
def test_fields_nobody_knows_survive(model: str, extra: dict[str, Any]) -> None:
    sent = passed({**ASKED, **extra}, model)
    assert {name: sent[name] for name in extra} == extra
    assert sent["input"] == ASKED["input"]


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_ours_to_say_is_said(stream: bool) -> None:
    body = {
        **ASKED,
        "store": True,
        "stream": not stream,
        "stream_options": {"include_obfuscation": False},
        "previous_response_id": "resp_1",
        "include": ["message.output_text.logprobs"],
    }
    sent = passed(body, stream=stream)
    assert (sent["model"], sent["store"], sent.get("stream")) == (THINKER, False, True if stream else None)
    assert ("stream_options" in sent) is stream
    assert "previous_response_id" not in sent
    assert sent["include"] == ["message.output_text.logprobs", "reasoning.encrypted_content"]
    assert passed({**body, "include": ["reasoning.encrypted_content"]})["include"] == ["reasoning.encrypted_content"]
    assert "include" not in passed(ASKED, PLAIN)


def test_what_lives_in_an_account_or_has_another_price_is_left_out_and_named() -> None:
    gone = {"background": True, "conversation": "c", "prompt": {"id": "p"}, "stop": ["END"], "service_tier": "priority"}
    body = {**ASKED, **gone}
    sent = wire(own(body))
    assert set(sent.dropped) == set(gone)
    assert json.loads(sent.body).keys().isdisjoint(sent.dropped)
    quiet = wire(own({**ASKED, "background": False, "conversation": None, "service_tier": "auto"}))
    assert quiet.dropped == ()
    assert json.loads(quiet.body)["service_tier"] == "auto"


@pytest.mark.parametrize(
    ("model", "given", "sent", "dropped"),
    [
        (THINKER, {"effort": "high", "context": "all"}, {"effort": "high", "context": "all"}, ()),
        (
            THINKER,
            {"effort": "minimal", "summary": "auto"},
            {"effort": "low", "summary": "auto"},
            ("reasoning.effort",),
        ),
        (THINKER, {"effort": None}, {"effort": None}, ()),
        (PLAIN, {"effort": "low"}, None, ("reasoning",)),
        (PLAIN, {"effort": None, "summary": None}, None, ()),
        ("grok-4-0709", {"effort": "low", "summary": "auto"}, {"summary": "auto"}, ("reasoning.effort",)),
        (THINKER, None, None, ()),
    ],
)
def test_effort_is_fitted_to_the_model(model: str, given: Any, sent: Any, dropped: tuple[str, ...]) -> None:
    wired = wire(own({**ASKED, "reasoning": given}), model)
    assert json.loads(wired.body).get("reasoning") == sent
    assert wired.dropped == dropped


def test_sampling_a_model_refuses_is_left_out_and_named_unless_it_asks_for_nothing() -> None:
    sent = wire(own({**ASKED, "temperature": 0.2, "top_p": 1}))
    assert sent.dropped == ("temperature",)
    assert json.loads(sent.body).keys().isdisjoint({"temperature", "top_p"})
    assert passed({**ASKED, "temperature": 0.2}, PLAIN)["temperature"] == 0.2


def test_verbosity_is_told_only_to_models_that_know_it() -> None:
    body = {**ASKED, "text": {"verbosity": "low", "format": {"type": "text"}}}
    assert passed(body)["text"] == body["text"]
    sent = wire(own(body), PLAIN)
    assert (json.loads(sent.body)["text"], sent.dropped) == ({"format": {"type": "text"}}, ("text.verbosity",))


@pytest.mark.parametrize(
    ("model", "proofs", "kept"),
    [
        (THINKER, ["gAAA", "mk1.xai.zz", "mk1.anthropic.aa", "mk1.google.next.bb", None], ["gAAA"]),
        (GROK, ["gAAA", "mk1.xai.zz", "mk1.xai.", None], ["zz"]),
        (PLAIN, ["gAAA", None], []),
    ],
)
def test_only_a_providers_own_thoughts_are_sent_on(model: str, proofs: list[str | None], kept: list[str]) -> None:
    body = {**ASKED, "input": [*ASKED["input"], *map(reasoning, proofs), {"role": "user", "content": "?"}]}
    sent = passed(body, model)["input"]
    assert [item["encrypted_content"] for item in sent if item.get("type") == "reasoning"] == kept
    assert [item["role"] for item in sent if "role" in item] == ["user", "user"]


def test_a_compaction_is_read_only_by_who_wrote_it() -> None:
    body = {**ASKED, "input": [{"type": "compaction", "encrypted_content": "gAAA"}, *ASKED["input"]]}
    assert (len(passed(body)["input"]), len(passed(body, GROK)["input"])) == (2, 1)


@pytest.mark.parametrize("odd", ["hello", [1, "two", {"type": 3}, {"type": "reasoning", "encrypted_content": 4}]])
def test_input_that_is_no_list_of_items_is_the_providers_to_judge(odd: Any) -> None:
    assert passed({**ASKED, "input": odd})["input"] == odd


def test_tools_the_model_cannot_be_offered_are_left_out_and_named() -> None:
    function = {"type": "function", "name": "f", "parameters": {}, "x": 1}
    tools = [
        function,
        {"type": "code_interpreter", "container": {"type": "auto"}},
        {"type": "mcp", "server_label": "w"},
    ]
    sent = wire(own({**ASKED, "tools": tools, "tool_choice": "auto"}), GROK)
    assert (json.loads(sent.body)["tools"], sent.dropped) == ([function], ("tools.code_interpreter", "tools.mcp.w"))
    assert json.loads(wire(own({**ASKED, "tools": tools})).body)["tools"] == [function, tools[2]]


def test_without_a_tool_left_there_is_nothing_to_choose() -> None:
    body = {**ASKED, "tools": [{"type": "image_generation"}], "tool_choice": "auto", "parallel_tool_calls": True}
    assert passed(body).keys().isdisjoint({"tools", "tool_choice", "parallel_tool_calls"})


@pytest.mark.parametrize("choice", ["required", {"type": "image_generation"}])
def test_a_caller_who_insists_on_such_a_tool_is_refused(choice: Any) -> None:
    with pytest.raises(InvalidRequest, match="image_generation"):
        passed({**ASKED, "tools": [{"type": "image_generation"}], "tool_choice": choice})


def test_a_tool_nobody_can_read_is_left_out_too() -> None:
    sent = wire(own({**ASKED, "tools": [7, {"type": "mcp", "server_label": 3}, {"name": "x"}]}))
    assert json.loads(sent.body)["tools"] == [{"type": "mcp", "server_label": 3}]
    assert sent.dropped == ("tools.unnamed",)


def test_tools_in_the_input_are_seen_to_as_well() -> None:
    mine = {"type": "namespace", "name": "functions", "tools": [{"type": "custom", "name": "exec"}]}
    extra = {"type": "additional_tools", "role": "developer", "tools": [mine, {"type": "image_generation"}]}
    sent = wire(own({**ASKED, "input": [extra, *ASKED["input"]]}), SOL)
    assert json.loads(sent.body)["input"][0] == {**extra, "tools": [mine]}
    assert (sent.dropped, sent.anew) == (("tools.image_generation",), False)
    untouched = {**extra, "tools": [mine]}
    assert passed({**ASKED, "input": [untouched]}, SOL)["input"] == [untouched]


PATCH = {"type": "custom", "name": "apply_patch"}
CALLED = {"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": "x"}


@pytest.mark.parametrize(
    ("body", "model", "anew"),
    [
        ({**ASKED, "tools": [PATCH]}, THINKER, False),
        ({**ASKED, "tools": [PATCH]}, PLAIN, True),
        ({**ASKED, "tools": [PATCH]}, GROK, True),
        ({**ASKED, "input": [CALLED]}, GROK, True),
        ({**ASKED, "input": [{"type": "additional_tools", "tools": []}]}, THINKER, True),
        ({**ASKED, "tools": [{"type": "namespace", "name": "n", "tools": []}]}, THINKER, True),
        ({**ASKED, "tools": [{"type": "tool_search"}]}, THINKER, False),
        ({**ASKED, "input": [{"type": "tool_search_output", "tools": []}]}, THINKER, True),
    ],
)
def test_words_a_model_does_not_have_are_said_in_others(body: Any, model: str, anew: bool) -> None:
    assert wire(own(body), model).anew is anew


def test_a_request_written_anew_keeps_all_but_its_conversation() -> None:
    called = Message(Role.ASSISTANT, (ToolCall("c", "apply_patch", "x", custom=True),))
    said = ModelRequest(
        (Message(Role.SYSTEM, (Text("Be brief."),)), called),
        tools=(Tool("apply_patch"), Tool("search", server={"type": "web_search"}, dialect="openai-responses")),
        tool_choice=ToolChoice("auto"),
    )
    body = {**ASKED, "instructions": "Be brief.", "tools": [PATCH], "prompt_cache_key": "k", "x_new": 1, "user": "u"}
    sent = wire(own(body, said=said, limit=20), GROK)
    written = json.loads(sent.body)
    assert (written["prompt_cache_key"], written["x_new"], written["user"]) == ("k", 1, "u")
    assert (written["max_output_tokens"], written["instructions"]) == (20, "Be brief.")
    assert written["tools"][0]["type"] == "function"
    assert written["input"] == [
        {"type": "function_call", "call_id": "c", "name": "apply_patch", "arguments": '{"input":"x"}'}
    ]
    assert sent.dropped == ("tools.search",)
    assert list(written)[-1] == "input"


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            ["service_tier", "reasoning", "temperature", "text", "include", "tools", "tool_choice", "input"]
        ),
        json_values,
        max_size=4,
    )
)
@pytest.mark.parametrize("model", [THINKER, PLAIN, GROK])
def test_no_value_whatsoever_does_more_than_be_refused(model: str, odd: dict[str, Any]) -> None:
    refusal = "a sentence."
    try:
        assert passed({**ASKED, **odd}, model)["store"] is False
    except InvalidRequest as refused:
        refusal = refused.message
    assert refusal.endswith(".")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        wire(own(body))
