"""Through the neutral conversation and back nothing is lost that both can say; prompts grow by their end alone."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.anthropic_messages.front import MessagesFront
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.ports.front import Envelope
from monkey_coder_server.ports.provider import Provider
from monkey_coder_server.providers import anthropic, google, moonshot, openai
from packages.server.tests.dialects import conversations
from packages.server.tests.dialects.anthropic_messages import agents
from packages.server.tests.dialects.conversations import PDF, PNG, json_values, spoken, words

MODEL = "claude-opus-4-8"
marks = st.sampled_from(
    [{}, {"cache_control": agents.EPHEMERAL}, {"cache_control": {"type": "ephemeral", "ttl": "1h"}}]
)
texts = st.builds(lambda words, mark: agents.text(words, **mark), spoken, marks)
images = st.sampled_from(
    [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "image", "source": {"type": "url", "url": "https://a.b/c.png"}},
    ]
)
documents = st.sampled_from(
    [
        {"type": "document", "title": "t", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
        {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
    ]
)
unknown = st.sampled_from([{"type": "container_upload", "file_id": "f"}, {"type": "new_block", "x": [1]}])
results = st.builds(
    lambda content, failed: agents.result("", content=content) | ({"is_error": True} if failed else {}),
    spoken | st.lists(texts | images, min_size=1, max_size=2),
    st.booleans(),
)
thoughts = st.sampled_from(
    [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
    ]
)
calls = st.builds(lambda arguments: agents.call(**{f"a{name}": value for name, value in arguments.items()}),
                  st.dictionaries(words, json_values, max_size=2))  # fmt: skip
asked = spoken | st.lists(texts | images | documents | results | unknown, min_size=1, max_size=4)
answered = spoken | st.lists(texts | calls | thoughts, min_size=1, max_size=4)


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    turns = [{"role": "user", "content": draw(asked)}]
    for _ in range(draw(st.integers(0, 2))):
        turns += [{"role": "assistant", "content": draw(answered)}, {"role": "user", "content": draw(asked)}]
    body: dict[str, Any] = {"model": MODEL, "max_tokens": 100, "messages": turns}
    optional = {
        "system": spoken | st.lists(texts, min_size=1, max_size=2),
        "tools": st.just([agents.WRITE, {"type": "web_search_20250305", "name": "web_search"}]),
        "stop_sequences": st.just(["END"]),
        "metadata": st.just({"user_id": "u-1"}),
        "service_tier": st.just("auto"),
        "output_config": st.just({"format": {"type": "json_schema", "schema": {"type": "string"}}}),
    }
    return body | draw(st.fixed_dictionaries({}, optional=optional))


def read(body: dict[str, Any]) -> ModelRequest:
    return MessagesFront().read(json.dumps(body).encode(), Envelope(headers={}, query={})).request


def blocks(content: Any) -> list[dict[str, Any]]:
    """Content as blocks, tool results first, a result of one text as the text alone, without cache marks."""
    if isinstance(content, str):
        return [agents.text(content)]
    plain = []
    for block in content:
        kept = {name: value for name, value in block.items() if name != "cache_control"}
        if kept["type"] == "tool_result" and isinstance(kept["content"], list):
            inner = blocks(kept["content"])
            kept["content"] = inner[0]["text"] if len(inner) == 1 and inner[0]["type"] == "text" else inner
        plain.append(kept)
    return sorted(plain, key=lambda block: block["type"] != "tool_result")


@given(bodies())
def test_all_that_both_sides_can_say_comes_back(body: dict[str, Any]) -> None:
    request = replace(read(body), source=None)
    again = conversations.body(anthropic.PROVIDER, MODEL, request)
    assert [(turn["role"], blocks(turn["content"])) for turn in again.pop("messages")] == [
        (turn["role"], blocks(turn["content"])) for turn in body.pop("messages")
    ]
    assert blocks(again.pop("system", [])) == blocks(body.pop("system", []))
    assert again == body


@given(said=st.lists(st.tuples(spoken, spoken), min_size=1, max_size=3))
@pytest.mark.parametrize(
    "provider", [openai.PROVIDER, google.PROVIDER, moonshot.PROVIDER], ids=lambda provider: provider.name
)
def test_translated_prompts_grow_by_their_end_alone_while_cache_marks_move(
    provider: Provider, said: list[tuple[str, str]]
) -> None:
    """Agents mark the last block of each request, so the mark of the turn before is gone."""
    turns: list[dict[str, Any]] = []
    earlier = b""
    for question, answer in said:
        marked = {"role": "user", "content": [agents.text(question, cache_control=agents.EPHEMERAL)]}
        sent = _encoded(provider, [*turns, marked])
        assert sent.startswith(earlier)
        done = agents.result(answer, cache_control=agents.EPHEMERAL)
        turns += [
            {"role": "user", "content": [agents.text(question)]},
            {"role": "assistant", "content": [agents.call()]},
        ]
        looped = _encoded(provider, [*turns, {"role": "user", "content": [done]}])
        assert looped.startswith(sent.removesuffix(b"]}"))
        turns += [{"role": "user", "content": [agents.result(answer)]}, {"role": "assistant", "content": answer}]
        earlier = looped.removesuffix(b"]}")


def _encoded(provider: Provider, turns: list[dict[str, Any]]) -> bytes:
    request = read(agents.claude_code(*turns) | {"messages": turns})
    return provider.dialect.encode(request, card=provider.cards[0], key="k", stream=True).body
