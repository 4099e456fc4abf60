"""Answers in the providers' true wire formats, whole and streamed."""

import json
from typing import Any

from packages.server.tests.features.inference.world import Script

TEXT = "```python path=app.py\nprint('hello')\n```\nRun it with python app.py. Ünïcode \u2028 stays."


def openai(
    text: str = TEXT, *, prompt: int = 100, output: int = 20, finish: str = "stop", usage: bool = True
) -> Script:
    body: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-test",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}],
    }
    if usage:
        body["usage"] = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
    return Script(pieces=[json.dumps(body).encode()], headers={"content-type": "application/json"})


def openai_stream(
    text: str = TEXT, *, prompt: int = 100, output: int = 20, finish: str = "stop", usage: bool = True, step: int = 12
) -> Script:
    chunks: list[dict[str, Any]] = [_chunk({"role": "assistant", "content": ""})]
    chunks += [_chunk({"content": text[at : at + step]}) for at in range(0, len(text), step)]
    chunks.append(_chunk({}, finish))
    if usage:
        figures = {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output}
        chunks.append({**_chunk({}), "choices": [], "usage": figures})
    pieces = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks]
    return Script(pieces=[*pieces, b"data: [DONE]\n\n"], headers={"content-type": "text/event-stream"})


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-test",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def anthropic(text: str = TEXT, *, prompt: int = 100, output: int = 20) -> Script:
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test",
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": prompt, "output_tokens": output},
    }
    return Script(pieces=[json.dumps(body).encode()])


def anthropic_stream(text: str = TEXT, *, prompt: int = 100, output: int = 20, step: int = 12) -> Script:
    start = {
        "type": "message_start",
        "message": {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-test",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": prompt, "output_tokens": 1},
        },
    }
    events: list[dict[str, Any]] = [
        start,
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text[at : at + step]}}
            for at in range(0, len(text), step)
        ),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": output},
        },
        {"type": "message_stop"},
    ]
    return Script(pieces=[f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events])


def gemini(text: str = TEXT, *, prompt: int = 100, output: int = 20) -> Script:
    return Script(pieces=[json.dumps(_gemini(text, prompt, output, "STOP")).encode()])


def gemini_stream(text: str = TEXT, *, prompt: int = 100, output: int = 20, step: int = 12) -> Script:
    parts = [text[at : at + step] for at in range(0, len(text), step)]
    chunks = [_gemini(part, prompt, output, "STOP" if part is parts[-1] else None) for part in parts]
    return Script(pieces=[b"data: " + json.dumps(chunk).encode() + b"\r\n\r\n" for chunk in chunks])


def _gemini(text: str, prompt: int, output: int, finish: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": prompt,
            "candidatesTokenCount": output,
            "totalTokenCount": prompt + output,
        },
        "modelVersion": "gemini-test",
        "responseId": "resp-1",
    }


def error(status: int, *, retry_after: str | None = None, message: str = "no") -> Script:
    """An error whose body every dialect can read."""
    body = {"error": {"message": message, "type": "error", "code": None, "status": "ERROR"}}
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return Script(status=status, pieces=[json.dumps(body).encode()], headers=headers)
