"""CPU of one chunk of a stream inside the gateway: passed on to a caller of the same dialect, or translated.

In memory, without sockets: what the provider's decoder and the caller's writer cost for each chunk of a few characters,
near the beginning and near the end of a stream of 100,000 chunks. Both ends must cost the same. Of several streams the
cheapest median counts: what the code costs when nobody else slows the processor down.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from monkey_coder_server.domain.stream_events import Event, Frame
from monkey_coder_server.ports.front import AnswerWriter, Envelope, Front, Told
from monkey_coder_server.ports.provider import Provider, StreamDecoder
from tools.codecs import FRONTS, PROVIDERS, minimal_request

CHUNKS = 100_000
WINDOW = 5_000
ROUNDS = 3
READS = 4
"""Chunks that arrive in one read, as at a busy provider."""


@dataclass(frozen=True, slots=True)
class Way:
    """From a provider's dialect to a caller's; microseconds of CPU a chunk at the beginning and at the end."""

    source: str
    target: str
    first: float
    last: float


def main() -> None:
    """Run and print the table."""
    print(
        f"One chunk of a stream, in memory; chunks 1 to {WINDOW} and the last {WINDOW} of {CHUNKS:,}; "
        f"the cheapest of {ROUNDS} streams"
    )
    print(f"{'provider speaks':<20} {'caller speaks':<20} {'first':>9} {'last':>9} {'ratio':>6}")
    rounds = [[_measure(source, front) for source in SOURCES for front in FRONTS] for _ in range(ROUNDS)]
    ways = [_cheapest(measured) for measured in zip(*rounds, strict=True)]
    for way in sorted(ways, key=lambda each: (each.source != each.target, each.source)):
        print(
            f"{way.source:<20} {way.target:<20} {way.first:>6.1f} us {way.last:>6.1f} us {way.last / way.first:>6.2f}"
            f"{'  relayed' if way.source == way.target else ''}"
        )


@dataclass(frozen=True, slots=True)
class Source:
    """A provider's stream: what opens it and its n-th chunk."""

    dialect: str
    provider: Provider
    opening: bytes
    chunk: Callable[[int], bytes]


def _cheapest(measured: Sequence[Way]) -> Way:
    """The least that each end took."""
    first, last = min(way.first for way in measured), min(way.last for way in measured)
    return Way(measured[0].source, measured[0].target, first, last)


def _measure(source: Source, front: Front) -> Way:
    relayed = source.dialect == front.name
    dialect = source.provider.dialect_for("", source.dialect)
    decoder = dialect.decoder(relay=relayed)
    inbound = front.read(minimal_request(front.name), Envelope(headers={}, query={}, path_model="auto", stream=True))
    told = Told(request_id="req_0", created=1, provider=source.provider.name, model="m")
    writer = front.writer(inbound, told, relayed=relayed)
    writer.begin()
    _pass(decoder, writer, source.opening, relayed=relayed)
    spent: list[float] = []
    for number in range(0, CHUNKS, READS):
        piece = b"".join(source.chunk(each) for each in range(number, number + READS))
        begun = time.process_time_ns()
        _pass(decoder, writer, piece, relayed=relayed)
        spent.append((time.process_time_ns() - begun) / READS / 1_000)
    window = WINDOW // READS
    return Way(source.dialect, front.name, statistics.median(spent[:window]), statistics.median(spent[-window:]))


def _pass(decoder: StreamDecoder, writer: AnswerWriter, piece: bytes, *, relayed: bool) -> None:
    events: Sequence[Event] = decoder.feed(piece)
    writer.write([event for event in events if isinstance(event, Frame)] if relayed else events)


def _data(value: object, event: str = "") -> bytes:
    name = f"event: {event}\n".encode() if event else b""
    return name + b"data: " + msgspec.json.encode(value) + b"\n\n"


def _chat(number: int) -> bytes:
    choice = {"index": 0, "delta": {"content": f" word{number % 97}"}, "logprobs": None, "finish_reason": None}
    chunk = {
        "id": "chatcmpl-DzX0",
        "object": "chat.completion.chunk",
        "created": 1_770_674_943,
        "model": "gpt-4.1-mini",
    }
    return _data(
        {**chunk, "service_tier": "default", "choices": [choice], "usage": None, "obfuscation": "x" * (number % 12)}
    )


def _messages(number: int) -> bytes:
    delta = {"type": "text_delta", "text": f" word{number % 97}"}
    return _data({"type": "content_block_delta", "index": 0, "delta": delta}, "content_block_delta")


def _gemini(number: int) -> bytes:
    candidate = {"content": {"parts": [{"text": f" word{number % 97}"}], "role": "model"}, "index": 0}
    usage = {"promptTokenCount": 13, "candidatesTokenCount": number, "totalTokenCount": 13 + number}
    return _data(
        {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-3-pro", "responseId": "Z1Fg"}
    )


def _responses(number: int) -> bytes:
    kind = "response.output_text.delta"
    delta = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": f" word{number % 97}", "logprobs": []}
    return _data({"type": kind, "sequence_number": number + 5, **delta, "obfuscation": "x" * (number % 12)}, kind)


_MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [],
    "usage": {"input_tokens": 9},
}
_RESPONSE = {"id": "resp_1", "object": "response", "model": "gpt-5", "status": "in_progress", "output": []}
_ITEM = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
_PART = {"type": "output_text", "text": "", "annotations": []}
SOURCES = (
    Source("openai-chat", PROVIDERS["openai"], b"", _chat),
    Source(
        "openai-responses",
        PROVIDERS["openai"],
        _data({"type": "response.created", "sequence_number": 0, "response": _RESPONSE}, "response.created")
        + _data(
            {"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": _ITEM},
            "response.output_item.added",
        )
        + _data(
            {
                "type": "response.content_part.added",
                "sequence_number": 2,
                "item_id": "msg_1",
                "output_index": 0,
                "content_index": 0,
                "part": _PART,
            },
            "response.content_part.added",
        ),
        _responses,
    ),
    Source(
        "anthropic_messages",
        PROVIDERS["anthropic"],
        _data({"type": "message_start", "message": _MESSAGE}, "message_start")
        + _data(
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            "content_block_start",
        ),
        _messages,
    ),
    Source("gemini", PROVIDERS["google"], b"", _gemini),
)


if __name__ == "__main__":
    main()
