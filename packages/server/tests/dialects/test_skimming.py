"""Relayed streams are skimmed: what is passed on, and what is known at the end, is the same as when all is read."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monkey_coder_server.domain.stream_events import Answer, Event, Frame
from monkey_coder_server.ports.provider import StreamDecoder
from monkey_coder_server.providers import anthropic, google, openai

WORDS = st.lists(
    st.text(max_size=12) | st.sampled_from(['"usage":{', '"}', '\\":', "finishReason", '"error":']), max_size=30
)


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def chat_stream(words: list[str]) -> list[str]:
    chunk = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}, *({"content": word} for word in words)]
    call = {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": ""}}
    deltas += [{"tool_calls": [call]}, {"tool_calls": [{"index": 0, "function": {"arguments": '{"a":1}'}}]}]
    said = [
        {**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}], "usage": None} for delta in deltas
    ]
    last = {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}], "usage": None}
    usage = {**chunk, "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10}}
    return [f"data: {compact(frame)}\n\n" for frame in (*said, last, usage)] + ["data: [DONE]\n\n"]


def spaced_chat_stream(words: list[str]) -> list[str]:
    """As servers write that leave JSON as Python's own module makes it."""
    return [
        frame if "[DONE]" in frame else f"data: {json.dumps(json.loads(frame[6:]), ensure_ascii=False)}\n\n"
        for frame in chat_stream(words)
    ]


def messages_stream(words: list[str]) -> list[str]:
    start = {"type": "message_start", "message": {"id": "m", "model": "x", "usage": {"input_tokens": 3}}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}} for word in words
    ]
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}}
    frames = [start, block, *deltas, {"type": "content_block_stop", "index": 0}, end, {"type": "message_stop"}]
    return [f"event: {frame['type']}\ndata: {compact(frame)}\n\n" for frame in frames]


def gemini_stream(words: list[str]) -> list[str]:
    def record(text: str, **more: str) -> dict[str, Any]:
        candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0, **more}
        return {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 7}}

    frames = [*(record(word) for word in words), record("", finishReason="STOP")]
    return [f"data: {json.dumps(frame)}\r\n\r\n" for frame in frames]


STREAMS = {
    "openai-chat": (openai.PROVIDER.dialect, chat_stream),
    "openai-chat, with spaces": (openai.PROVIDER.dialect, spaced_chat_stream),
    "anthropic": (anthropic.PROVIDER.dialect, messages_stream),
    "gemini": (google.PROVIDER.dialect, gemini_stream),
}


def read(decoder: StreamDecoder, frames: Sequence[str]) -> tuple[Answer, list[Frame]]:
    answer, passed = Answer(), []
    events: list[Event] = []
    for frame in frames:
        events += decoder.feed(frame.encode())
    for event in [*events, *decoder.finish()]:
        answer.apply(event)
        if isinstance(event, Frame):
            passed.append(event)
    return answer, passed


@pytest.mark.parametrize("name", STREAMS)
@given(words=WORDS)
@example(words=["0", '"}'])
def test_skimming_loses_no_frame_and_changes_neither_end_nor_usage(name: str, words: list[str]) -> None:
    dialect, write = STREAMS[name]
    frames = write(words)
    whole, _ = read(dialect.decoder(), frames)
    relayed, passed = read(dialect.decoder(relay=True), frames)
    assert [frame.data for frame in passed] == [text.split("data: ", 1)[1].strip("\r\n") for text in frames]
    assert (relayed.finish, relayed.usage, relayed.failure) == (whole.finish, whole.usage, whole.failure)
    assert [(call.id, call.name) for call in relayed.calls] == [(call.id, call.name) for call in whole.calls]
    said = len("".join(whole.text).encode())
    assert relayed.skimmed + len("".join(relayed.text).encode()) >= said
    assert not whole.skimmed


@pytest.mark.parametrize("name", STREAMS)
def test_most_frames_of_a_long_text_are_only_skimmed(name: str) -> None:
    dialect, write = STREAMS[name]
    relayed, passed = read(dialect.decoder(relay=True), write([f" word{number}" for number in range(100)]))
    assert sum(frame.skimmed > 0 for frame in passed) >= 98
    assert len("".join(relayed.text)) < 20


def test_text_after_thinking_is_known_to_be_there() -> None:
    start, block, *rest = messages_stream(["so"])
    thought = {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "because"}}
    thinking = block.replace('{"type":"text","text":""}', '{"type":"thinking","thinking":""}')
    closed = {"type": "content_block_stop", "index": 0}
    said = [f"event: {frame['type']}\ndata: {compact(frame)}\n\n" for frame in (thought, thought, closed)]
    relayed, _ = read(anthropic.PROVIDER.dialect.decoder(relay=True), [start, thinking, *said, block, *rest])
    assert relayed.text == ["so"]
    assert relayed.skimmed == len("because")


def test_a_cut_gemini_stream_keeps_the_usage_of_its_last_record() -> None:
    frames = gemini_stream(["a", "b", "c"])[:-1]
    relayed, _ = read(google.PROVIDER.dialect.decoder(relay=True), frames)
    assert relayed.usage is not None
    assert relayed.usage.output_tokens == 7
    assert relayed.failure is not None
