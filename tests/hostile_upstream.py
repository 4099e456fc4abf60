"""A provider that means harm, on a loopback port: each mode is asked for by a word in the prompt."""

import contextlib
import gzip
import json
import re
import socketserver
import threading
from collections.abc import Callable, Iterator

ENDLESS = 1024**3
"""Bytes: what is announced, and where an endless body stops at last if nobody closes it."""
_MODE = re.compile(rb"HOSTILE-([a-z-]+)")
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
BLOCK = b"x" * 65_536
_BOMB = gzip.compress(b" " * 50_000_000)

TEXT, IN, OUT = "%TEXT%", "%IN%", "%OUT%"
_USAGE = {"prompt_tokens": IN, "completion_tokens": OUT, "total_tokens": OUT}
_SPENT = {"input_tokens": IN, "output_tokens": OUT}
_SAID = {"role": "assistant", "content": TEXT}
_PART = {"type": "output_text", "text": TEXT, "annotations": []}
_ITEM = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [_PART]}
_RESPONSE = {"id": "resp_1", "object": "response", "model": "m"}
_MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
_CANDIDATE = {"content": {"role": "model", "parts": [{"text": TEXT}]}, "index": 0}
_COUNTED = {"promptTokenCount": IN, "candidatesTokenCount": OUT, "totalTokenCount": OUT}
_CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def _json(value: object) -> bytes:
    """Compact JSON; places for numbers lose their quotation marks."""
    return re.sub(rb'"(%(?:IN|OUT)%)"', rb"\1", json.dumps(value, separators=(",", ":")).encode())


def _event(value: dict[str, object], end: bytes = b"\n\n") -> bytes:
    name = f"event: {value['type']}\n".encode() if "type" in value else b""
    return name + b"data: " + _json(value) + end


WHOLE = {
    "chat": _json({**_CHUNK, "choices": [{"index": 0, "message": _SAID, "finish_reason": "stop"}], "usage": _USAGE}),
    "responses": _json(
        {**_RESPONSE, "status": "completed", "output": [_ITEM], "usage": {**_SPENT, "total_tokens": OUT}}
    ),
    "messages": _json(
        {**_MESSAGE, "content": [{"type": "text", "text": TEXT}], "stop_reason": "end_turn", "usage": _SPENT}
    ),
    "gemini": _json(
        {"candidates": [{**_CANDIDATE, "finishReason": "STOP"}], "usageMetadata": _COUNTED, "modelVersion": "m"}
    ),
}
CHUNK = {
    "chat": _event({**_CHUNK, "choices": [{"index": 0, "delta": {"content": TEXT}, "finish_reason": None}]}),
    "responses": _event(
        {
            "type": "response.output_text.delta",
            "item_id": "m",
            "output_index": 0,
            "content_index": 0,
            "delta": TEXT,
            "sequence_number": 4,
        }
    ),
    "messages": _event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": TEXT}}),
    "gemini": _event({"candidates": [_CANDIDATE], "modelVersion": "m"}, b"\r\n\r\n"),
}
OPENING = {
    "chat": b"",
    "responses": _event(
        {
            "type": "response.created",
            "sequence_number": 0,
            "response": {**_RESPONSE, "status": "in_progress", "output": []},
        }
    )
    + _event(
        {
            "type": "response.output_item.added",
            "sequence_number": 1,
            "output_index": 0,
            "item": {**_ITEM, "status": "in_progress", "content": []},
        }
    ),
    "messages": _event(
        {
            "type": "message_start",
            "message": {
                **_MESSAGE,
                "content": [],
                "stop_reason": None,
                "usage": {"input_tokens": 3, "output_tokens": 0},
            },
        }
    )
    + _event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    "gemini": b"",
}


def told(template: bytes, *, text: bytes = b"Hello", tokens_in: bytes = b"3", tokens_out: bytes = b"7") -> bytes:
    """A template with its places filled."""
    return template.replace(b"%TEXT%", text).replace(b"%IN%", tokens_in).replace(b"%OUT%", tokens_out)


class _Provider(socketserver.StreamRequestHandler):
    """Answers one request in the mode its body names; the path tells the dialect."""

    def handle(self) -> None:
        """Read the request, then misbehave until the other side closes."""
        with contextlib.suppress(OSError):
            path = self.rfile.readline().split(b" ")[1].decode("ascii")
            length, line = 0, self.rfile.readline()
            while line not in {b"\r\n", b""}:
                if found := _LENGTH.match(line):
                    length = int(found[1])
                line = self.rfile.readline()
            mode = _MODE.search(self.rfile.read(length))
            if mode is not None:
                for piece in _misbehaviour(mode[1].decode("ascii"), _dialect(path)):
                    self.wfile.write(piece)


def _dialect(path: str) -> str:
    if path.endswith("/chat/completions"):
        return "chat"
    if path.endswith("/responses"):
        return "responses"
    return "messages" if path.endswith("/messages") else "gemini"


def _misbehaviour(mode: str, dialect: str) -> Iterator[bytes]:
    if mode in _IN_ONE:
        yield _IN_ONE[mode](dialect)
        return
    if mode == "announced":
        yield _head("application/json", f"content-length: {ENDLESS}")
    elif mode == "endless-body":
        yield _head("application/json")
    else:
        yield (
            _head("text/event-stream")
            + OPENING[dialect]
            + told(CHUNK[dialect])
            + (b"data: " if "line" in mode else b"")
        )
    block = {
        "endless-text": told(CHUNK[dialect], text=b"word " * 50) * 100,
        "endless-comments": b": nothing\n\n" * 5_000,
    }.get(mode, BLOCK)
    for _ in range(ENDLESS // len(block)):
        yield block


def _stream(dialect: str, between: bytes) -> bytes:
    chunk = told(CHUNK[dialect])
    return _head("text/event-stream") + OPENING[dialect] + chunk + between + chunk


_IN_ONE: dict[str, Callable[[str], bytes]] = {
    "bad-utf": lambda dialect: _head("application/json") + told(WHOLE[dialect], text=b"a\xff\xfe\xed\xa0\x80b"),
    "negative-usage": lambda dialect: (
        _head("application/json") + told(WHOLE[dialect], tokens_in=b"-5", tokens_out=b"-99999999999")
    ),
    "bomb": lambda _: _head("application/json", f"content-encoding: gzip\r\ncontent-length: {len(_BOMB)}") + _BOMB,
    "stream-bad-utf": lambda dialect: _stream(dialect, told(CHUNK[dialect], text=b"\xff\xfe")),
    "stream-garbage": lambda dialect: _stream(dialect, b"data: {not json}\n\n"),
}


def _head(content_type: str, more: str = "connection: close") -> bytes:
    return f"HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n{more}\r\n\r\n".encode()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextlib.contextmanager
def hostile_provider() -> Iterator[str]:
    """Its base address while the block runs."""
    with _Server(("127.0.0.1", 0), _Provider) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()
