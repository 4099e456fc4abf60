"""Requests say exactly what a provider accepts, in bytes that stay the same from turn to turn."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.openai_chat import OpenAIChat, Quirks
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.conversation import (
    Document,
    Image,
    Message,
    ModelRequest,
    Reasoning,
    Refusal,
    Role,
    Sampling,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Unknown,
)
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.provider import Provider
from packages.server.tests.dialects.openai_chat.asking import CARDS, HELLO, OPENAI, WEATHER, messages, user, written


def test_a_plain_request_holds_the_model_and_the_words_and_nothing_else() -> None:
    provider, card = CARDS["gpt-4.1"]
    wire = provider.dialect.encode(HELLO, card=card, key="sk-1", stream=False)
    assert wire.path == "/chat/completions"
    assert wire.headers["authorization"] == "Bearer sk-1"
    assert wire.headers["accept"] == "application/json"
    assert wire.body == b'{"model":"gpt-4.1","messages":[{"role":"user","content":"hello"}]}'


@pytest.mark.parametrize("model", ["gpt-4.1", "llama-3.1-8b-instant", "grok-3", "sonar", "kimi-k3"])
def test_a_stream_always_asks_for_its_usage(model: str) -> None:
    body = written(HELLO, model, stream=True)
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}


def test_every_sampling_parameter_reaches_a_model_that_takes_it() -> None:
    sampling = Sampling(100, 0.5, 0.9, 40, 7, ("END",), 0.1, 0.2)
    body = written(replace(HELLO, sampling=sampling, user="u1"))
    assert body["max_completion_tokens"] == 100
    assert (body["temperature"], body["top_p"], body["seed"], body["stop"]) == (0.5, 0.9, 7, ["END"])
    assert (body["presence_penalty"], body["frequency_penalty"], body["user"]) == (0.1, 0.2, "u1")
    assert "top_k" not in body


@pytest.mark.parametrize(
    ("model", "left_out"),
    [
        ("gpt-5", {"temperature", "top_p", "stop", "presence_penalty", "frequency_penalty", "top_k"}),
        ("kimi-k3", {"temperature", "top_p", "seed", "top_k", "user", "presence_penalty"}),
        ("grok-4.7", {"stop", "presence_penalty", "frequency_penalty", "top_k"}),
        ("sonar", {"seed", "stop", "user"}),
        ("llama-3.1-8b-instant", {"presence_penalty", "frequency_penalty", "top_k"}),
    ],
)
def test_what_a_model_would_refuse_is_left_out(model: str, left_out: set[str]) -> None:
    sampling = Sampling(100, 0.5, 0.9, 40, 7, ("END",), 0.1, 0.2)
    body = written(replace(HELLO, sampling=sampling, user="u1"), model)
    assert left_out & set(body) == set()
    assert 100 in {body.get("max_tokens"), body.get("max_completion_tokens")}


@pytest.mark.parametrize(
    ("model", "reasoning", "effort"),
    [
        ("gpt-5", Reasoning(effort="high"), "high"),
        ("gpt-5", Reasoning(effort="xhigh"), "high"),
        ("gpt-5", Reasoning(enabled=False), "minimal"),
        ("gpt-5.1", Reasoning(enabled=False), "none"),
        ("gpt-5.1", Reasoning(effort="minimal"), "low"),
        ("o3", Reasoning(budget_tokens=2_000), "low"),
        ("o3", Reasoning(budget_tokens=10_000), "medium"),
        ("o3", Reasoning(budget_tokens=60_000), "high"),
        ("o3", Reasoning(effort="nonsense"), "medium"),
        ("o3", Reasoning(), None),
        ("gpt-4.1", Reasoning(effort="high"), None),
        ("grok-3-mini", Reasoning(effort="medium"), "low"),
        ("grok-4-0709", Reasoning(effort="high"), None),
        ("openai/gpt-oss-120b", Reasoning(effort="low"), "low"),
        ("qwen/qwen3-32b", Reasoning(effort="high"), None),
        ("qwen/qwen3-32b", Reasoning(enabled=False), "none"),
        ("kimi-k3", Reasoning(effort="medium"), "low"),
        ("kimi-k3.1-pro", Reasoning(effort="xhigh"), "high"),
        ("sonar-reasoning-pro", Reasoning(effort="high"), "high"),
    ],
)
def test_the_wish_to_think_is_said_in_the_words_the_model_takes(
    model: str, reasoning: Reasoning, effort: str | None
) -> None:
    assert written(replace(HELLO, reasoning=reasoning), model).get("reasoning_effort") == effort


def test_kimi_k2_thinking_is_switched_by_its_own_field() -> None:
    assert written(replace(HELLO, reasoning=Reasoning(enabled=False)), "kimi-k2.6")["thinking"] == {"type": "disabled"}
    assert "thinking" not in written(replace(HELLO, reasoning=Reasoning(effort="low")), "kimi-k2.6")


def test_groqs_qwen_is_asked_to_keep_its_thinking_out_of_the_text() -> None:
    assert written(HELLO, "qwen/qwen3-32b")["reasoning_format"] == "parsed"
    assert "reasoning_format" not in written(HELLO, "openai/gpt-oss-120b")


def test_instructions_keep_the_role_the_provider_knows() -> None:
    turns = (Message(Role.SYSTEM, (Text("a"), Text("b"))), Message(Role.DEVELOPER, (Text("c"),)), user(Text("d")))
    assert [(item["role"], item["content"]) for item in messages(*turns)] == [
        ("system", "a\n\nb"),
        ("developer", "c"),
        ("user", "d"),
    ]
    assert [item["role"] for item in messages(*turns, model="grok-3")] == ["system", "system", "user"]


def test_images_and_documents_are_written_as_parts() -> None:
    turn = user(
        Text("look"),
        Image(url="https://x/y.png", detail="low"),
        Image(data="QUJD", media_type="image/jpeg"),
        Document(name="a.pdf", data="QUJD", media_type="application/pdf"),
        Document(file_id="file-1"),
        Document(name="n.txt", text="notes"),
    )
    assert messages(turn)[0]["content"] == [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,QUJD"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "text", "text": '<document name="n.txt">\nnotes\n</document>'},
    ]


def test_perplexity_takes_documents_by_url_and_one_user_turn_at_a_time() -> None:
    turns = (user(Text("a")), user(Document(name="p", url="https://x/p.pdf")))
    assert messages(*turns, model="sonar") == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "a"},
                {"type": "file_url", "file_url": {"url": "https://x/p.pdf"}, "file_name": "p"},
            ],
        }
    ]


def test_a_conversation_without_a_word_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no message"):
        messages()


@pytest.mark.parametrize("part", [Document(name="a.pdf", data="QUJD"), Image()])
def test_what_cannot_be_said_is_refused_with_a_reason(part: Any) -> None:
    with pytest.raises(InvalidRequest):
        messages(user(part), model="grok-3")


def test_a_tool_turn_goes_back_as_calls_and_results_with_pictures_after_the_last_result() -> None:
    calls = (ToolCall("c1", "weather", '{"city": "Paris"}'), ToolCall("c2", "photo", ""))
    results = (
        ToolResult("c1", (Text("sunny"),)),
        ToolResult("c2", (Text("here"), Image(data="QUJD", media_type="image/png"))),
    )
    wrote = messages(
        user(Text("go")),
        Message(Role.ASSISTANT, (Text("I look."), *calls)),
        Message(Role.TOOL, (results[0],)),
        Message(Role.TOOL, (results[1],)),
        user(Text("and?")),
        model="meta-llama/llama-4-scout-17b-16e-instruct",
    )
    assert [item["role"] for item in wrote] == ["user", "assistant", "tool", "tool", "user", "user"]
    assert wrote[1]["content"] == "I look."
    assert [call["function"]["arguments"] for call in wrote[1]["tool_calls"]] == ['{"city": "Paris"}', "{}"]
    assert wrote[2] == {"role": "tool", "tool_call_id": "c1", "content": "sunny"}
    assert wrote[4]["content"][1]["image_url"]["url"] == "data:image/png;base64,QUJD"


@pytest.mark.parametrize("model", ["gpt-4.1", "grok-4.3"])
def test_pictures_stay_in_a_tools_message_where_it_may_hold_them(model: str) -> None:
    results = ToolResult("c1", (Text("here"), Image(data="QUJD"))), ToolResult("c2", (Image(url="https://x/y.png"),))
    wrote = messages(Message(Role.TOOL, results), model=model)
    assert [[part["type"] for part in item["content"]] for item in wrote] == [["text", "image_url"], ["image_url"]]


def test_results_inside_a_user_turn_come_before_its_words() -> None:
    wrote = messages(
        Message(Role.ASSISTANT, (ToolCall("c1", "f", "{}"),)),
        user(ToolResult("c1", (Text("boom"),), is_error=True), Text("try again")),
    )
    assert wrote[0]["content"] is None
    assert wrote[1] == {"role": "tool", "tool_call_id": "c1", "content": "Error: boom"}
    assert wrote[2] == {"role": "user", "content": "try again"}


def test_a_binary_document_as_a_result_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        messages(Message(Role.TOOL, (ToolResult("c", (Document(data="QUJD"),)),)))


def test_kimi_gets_its_reasoning_back_and_with_calls_always_the_field() -> None:
    thought = Message(Role.ASSISTANT, (Thinking("because"), Text("so")))
    called = Message(Role.ASSISTANT, (ToolCall("c", "f", "{}"),))
    wrote = messages(thought, called, model="kimi-k3")
    assert [item["reasoning_content"] for item in wrote] == ["because", " "]
    assert all("reasoning_content" not in item for item in messages(thought, called))


def test_refusals_custom_calls_and_empty_answers_survive_the_way_back() -> None:
    wrote = messages(
        Message(Role.ASSISTANT, (Refusal("no"),)),
        Message(Role.ASSISTANT, (ToolCall("c", "shell", "ls", custom=True),)),
        Message(Role.ASSISTANT, ()),
    )
    assert wrote[0] == {"role": "assistant", "content": None, "refusal": "no"}
    assert wrote[1]["tool_calls"] == [{"id": "c", "type": "custom", "custom": {"name": "shell", "input": "ls"}}]
    assert wrote[2] == {"role": "assistant", "content": ""}


@pytest.mark.parametrize("model", [model for model, (provider, _) in CARDS.items() if provider is not OPENAI])
def test_what_only_openai_can_be_told_is_said_to_others_in_plain_terms(model: str) -> None:
    turn = Message(Role.ASSISTANT, (Text("I "), Refusal("won't"), ToolCall("c", "shell", "ls", custom=True)))
    wrote = messages(user(Text("go")), turn, model=model)[1]
    assert (wrote["content"], "refusal" in wrote) == ("I won't", False)
    assert wrote["tool_calls"] == [
        {"id": "c", "type": "function", "function": {"name": "shell", "arguments": '{"input":"ls"}'}}
    ]


def test_unknown_blocks_and_fields_are_replayed_only_in_their_own_dialect() -> None:
    turn = Message(
        Role.USER, (Text("a"), Unknown("openai-chat", {"type": "input_audio"}), Unknown("gemini", {"x": 1})), name="bo",
        extra={"cache_breakpoint": True, "content": "not this"},
    )  # fmt: skip
    own = ModelRequest((turn,), dialect="openai-chat", extra={"logit_bias": {"1": 2}, "model": "evil", "stream": True})
    body = written(own)
    assert body["logit_bias"] == {"1": 2}
    assert (body["model"], "stream" in body) == ("gpt-4.1", False)
    assert body["messages"][0]["content"][1] == {"type": "input_audio"}
    assert len(body["messages"][0]["content"]) == 2
    assert (body["messages"][0]["name"], body["messages"][0]["cache_breakpoint"]) == ("bo", True)
    foreign = written(replace(own, dialect="anthropic-messages"))
    assert "logit_bias" not in foreign
    assert "cache_breakpoint" not in foreign["messages"][0]


def test_fields_a_provider_refuses_are_kept_from_it_even_when_a_client_sent_them() -> None:
    own = replace(HELLO, dialect="openai-chat", extra={"logprobs": True, "metadata": {"a": "b"}})
    assert "logprobs" not in written(own, "llama-3.1-8b-instant")
    assert "logprobs" not in written(own, "gpt-5")
    assert written(own, "llama-3.1-8b-instant")["metadata"] == {"a": "b"}


@pytest.mark.parametrize(("tier", "sent"), [("flex", False), ("priority", False), ("auto", True), ("default", True)])
def test_a_tier_that_has_other_prices_is_not_asked_for(tier: str, sent: bool) -> None:
    own = replace(HELLO, dialect="openai-chat", extra={"service_tier": tier})
    wire = OPENAI.dialect.encode(own, card=CARDS["gpt-5"][1], key="k", stream=False)
    assert ("service_tier" in json.loads(wire.body)) is sent
    assert wire.dropped == (() if sent else ("service_tier",))


_turns = st.lists(
    st.one_of(
        st.text(min_size=1).map(lambda text: user(Text(text))),
        st.text(min_size=1).map(lambda text: Message(Role.ASSISTANT, (Text(text),))),
        st.text(max_size=9).map(lambda text: Message(Role.ASSISTANT, (ToolCall("c", "f", text),))),
        st.text(max_size=9).map(lambda text: Message(Role.TOOL, (ToolResult("c", (Text(text),)),))),
    ),
    min_size=2,
    max_size=8,
)


@given(_turns, st.sampled_from(["gpt-4.1", "kimi-k3", "llama-3.3-70b-versatile", "grok-4.7"]))
def test_the_bytes_of_a_turn_are_a_prefix_of_the_next_turns(turns: list[Message], model: str) -> None:
    provider, card = CARDS[model]

    def body(count: int) -> bytes:
        asked = ModelRequest(tuple(turns[:count]), tools=(WEATHER,), sampling=Sampling(max_tokens=9))
        return provider.dialect.encode(asked, card=card, key="k", stream=True).body

    for count in range(1, len(turns)):
        assert body(count + 1).startswith(body(count).removesuffix(b"]}"))
        assert body(count) == body(count)


def test_the_name_of_the_dialect_is_the_one_conversations_are_marked_with() -> None:
    provider: Provider = OPENAI
    assert provider.dialect.name == "openai-chat"
    card = ModelCard("p", "m", "M", 1, 1, frozenset({Capability.TOOLS}), 1)
    assert OpenAIChat(Quirks("p")).encode(HELLO, card=card, key="k", stream=False).body.startswith(b'{"model":"m"')
