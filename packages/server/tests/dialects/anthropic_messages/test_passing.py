"""Anthropic's own answers on their way through: as they came, with the cost in, and always complete."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.anthropic_messages import AnthropicMessages
from monkey_coder_server.dialects.anthropic_messages.front import MessagesFront
from monkey_coder_server.domain.stream_events import Event, FinishReason, Frame
from monkey_coder_server.ports.front import Bill, Envelope, Told
from packages.server.tests.dialects.anthropic_messages import sdk, streams
from packages.server.tests.dialects.anthropic_messages.streams import PROBLEM, USAGE, bill
from packages.server.tests.dialects.hostile import bent

FRONT = MessagesFront()
ASKED = FRONT.read(b'{"model": "auto", "max_tokens": 9}', Envelope(headers={}, query={}))
TOLD = Told(request_id="req_7", created=1, provider="anthropic", model="claude-opus-5")
MESSAGE: dict[str, Any] = {
    "model": "claude-opus-5",
    "id": "msg_01",
    "type": "message",
    "role": "assistant",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "r"},
        {"type": "text", "text": "Übers", "citations": [{"type": "char_location", "cited_text": "x"}]},
        {"type": "text", "text": "Hi"},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
        {"type": "tool_use", "id": "c", "name": "Write", "input": {"path": "a"}, "caller": {"type": "direct"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "stop_details": None,
    "usage": {"input_tokens": 3, "output_tokens": 5, "service_tier": "standard", "new": [1, {"a": None}]},
}
STREAM = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_01","content":[],"usage":'
    b'{"input_tokens":3}} }\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text",'
    b'"text":""}    }\n\n'
    b'event: ping\ndata: {"type": "ping"}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta",'
    b'"text":"H\xc3\xbc"}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"new_delta","x":1}}\n\n'
    b'event: a_new_event\ndata: {"type":"a_new_event"}\n\n'
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0   }\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
    b'"usage":{"input_tokens":3, "output_tokens":5}  }\n\n'
    b'event: message_stop\ndata: {"type":"message_stop" }\n\n'
)
AS_IT_CAME, _, ENDING = STREAM.partition(b"event: message_delta")
ENDING_DATA = ENDING.partition(b"data: ")[2].partition(b"\n")[0]
BILLED = (
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
    b'"usage":{"input_tokens":3,"output_tokens":5,"cost":0.001234}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)


def relayed(pieces: list[bytes], *, paid: Bill | None = None) -> bytes:
    """What leaves when these pieces come."""
    decoder = AnthropicMessages("anthropic").decoder(relay=True)
    writer = FRONT.writer(ASKED, TOLD, relayed=True)
    out = [writer.begin()]
    out += [writer.write([event for event in decoder.feed(piece) if isinstance(event, Frame)]) for piece in pieces]
    out.append(writer.write(decoder.finish()))
    out.append(writer.end(paid or bill()))
    return b"".join(out)


def written(*events: Event, paid: Bill | None = None) -> bytes:
    writer = FRONT.writer(ASKED, TOLD, relayed=True)
    return writer.begin() + writer.write(events) + writer.end(paid or bill(FinishReason.LENGTH))


def test_a_stream_leaves_as_it_came_but_for_its_bill() -> None:
    assert relayed([STREAM]) == AS_IT_CAME + BILLED


@given(st.lists(st.integers(0, len(STREAM)), max_size=8).map(sorted))
def test_any_split_of_its_bytes_gives_the_same_bytes(cuts: list[int]) -> None:
    pieces = [STREAM[start:end] for start, end in zip([0, *cuts], [*cuts, len(STREAM)], strict=True)]
    assert relayed(pieces) == AS_IT_CAME + BILLED


def test_byte_by_byte_with_other_line_ends_and_comments() -> None:
    noisy = b": hello\r\n" + STREAM.replace(b"\n", b"\r\n")
    assert relayed([noisy[at : at + 1] for at in range(len(noisy))]) == AS_IT_CAME + BILLED


@pytest.mark.parametrize("missing", [*range(1, len(STREAM), 97), len(ENDING), 50])
def test_a_stream_that_is_cut_is_completed(missing: int) -> None:
    cut = STREAM[:-missing]
    paid = bill(FinishReason.LENGTH, cost=0)
    out = relayed([cut], paid=paid)
    assert streams.disorder(out) == []
    name, last = streams.frames(out)[-2]
    assert name == "message_delta"
    assert last["delta"]["stop_reason"] == ("end_turn" if b"5}  }" in cut else "max_tokens")
    assert last["usage"]["cost"] == 0


def test_a_stream_without_any_usage_is_given_ours() -> None:
    silent = STREAM.replace(b',"usage":{"input_tokens":3, "output_tokens":5}', b"")
    silent = silent.replace(b',"usage":{"input_tokens":3}', b"")
    (_, first), *_, (_, last), _ = streams.frames(relayed([silent]))
    assert first["message"] == {"id": "msg_01", "content": [], "usage": {"input_tokens": 0, "output_tokens": 0}}
    assert last["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert last["usage"]["output_tokens"] == USAGE.output


def test_an_earlier_change_of_the_message_is_not_held_back_for_ever() -> None:
    early = Frame("message_delta", '{"type":"message_delta","delta":{}}')
    late = Frame("message_delta", '{"type":"message_delta","delta":{},"usage":{}}')
    start = Frame("message_start", '{"type":"message_start"}')
    assert written(start, early, late) == (
        b'event: message_start\ndata: {"type":"message_start"}\n\n'
        b'event: message_delta\ndata: {"type":"message_delta","delta":{}}\n\n'
        b'event: message_delta\ndata: {"type":"message_delta","delta":{},"usage":{"cost":0.001234}}\n\n'
        b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    )


def test_frames_without_names_are_named_after_their_type() -> None:
    out = written(Frame("", '{"type":"ping"}'), Frame("", '{"type":"message_stop"}'), Frame("", "[]"))
    assert out.startswith(b'event: ping\ndata: {"type":"ping"}\n\nevent: message\ndata: []\n\nevent: message_start\n')


def test_data_of_several_lines_stays_so() -> None:
    assert written(Frame("content_block_delta", "{\n}")).startswith(b"event: content_block_delta\ndata: {\ndata: }\n\n")


def test_blocks_left_open_are_closed_in_their_order() -> None:
    opened = [
        Frame("message_start", '{"type":"message_start"}'),
        Frame("content_block_start", '{"index":0}'),
        Frame("content_block_start", '{"index":1}'),
        Frame("content_block_stop", '{"index":0}'),
        Frame("content_block_start", '{"index":"x"}'),
    ]
    assert [data.get("index") for name, data in streams.frames(written(*opened)) if name == "content_block_stop"] == [
        0,
        1,
        0,
    ]


names = st.sampled_from(["", "message_start", "content_block_start", "content_block_stop", "message_delta", "ping"])
odd_frames = st.builds(lambda name, data: Frame(name, json.dumps(data)), names, bent(json.loads(ENDING_DATA)))


@given(st.lists(odd_frames, max_size=5))
def test_whatever_a_provider_sends_the_end_is_an_end(odd: list[Event]) -> None:
    (*_, (name, last), (stop, _)) = streams.frames(written(*odd))
    assert (name, stop) == ("message_delta", "message_stop")
    assert last["usage"]["cost"] == 0.001234


def test_an_error_in_mid_stream_is_an_error_event() -> None:
    writer = FRONT.writer(ASKED, TOLD, relayed=True)
    writer.write([Frame("message_start", '{"type":"message_start"}')])
    ((name, data),) = streams.frames(writer.fail(PROBLEM))
    assert (name, data["error"]["type"]) == ("error", "api_error")


def test_a_whole_message_keeps_its_bytes_but_for_the_cost() -> None:
    body = json.dumps(MESSAGE, indent=1, ensure_ascii=False).encode()
    out = FRONT.relay(ASKED, body, bill())
    assert json.loads(out) == {**MESSAGE, "usage": {**MESSAGE["usage"], "cost": 0.001234}}
    assert json.dumps(MESSAGE["content"], indent=1, ensure_ascii=False).replace("\n", "\n ").encode() in out
    assert b'"cost":0.001234}' in out


def test_a_whole_message_without_usage_is_given_ours() -> None:
    out = json.loads(FRONT.relay(ASKED, b'{"content":[],"usage":null}', bill()))
    assert out["usage"]["output_tokens"] == USAGE.output


def test_json_where_a_stream_was_asked_for_becomes_the_stream() -> None:
    body = json.dumps(MESSAGE, indent=2).encode()
    out = relayed([body[:100], body[100:]])
    assert streams.disorder(out) == []
    assert streams.fold(out) == MESSAGE["content"]
    read = sdk.read_stream(out)
    assert [block["type"] for block in read["content"]] == [block["type"] for block in MESSAGE["content"]]
    assert (read["stop_reason"], read["usage"]["output_tokens"]) == ("tool_use", 5)


def test_json_that_is_no_message_is_not_made_one() -> None:
    decoder = AnthropicMessages("anthropic").decoder(relay=True)
    decoder.feed(b'{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}')
    assert not any(isinstance(event, Frame) for event in decoder.finish())
