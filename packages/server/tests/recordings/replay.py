"""Replays recorded provider answers through our dialects and lists where the result differs from the official SDK's."""

import gzip
import json
import os
import random
import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.domain.stream_events import Answer, Event, Failed, Finished, Opened
from monkey_coder_server.domain.usage import USAGE_RULES, UsageRule
from monkey_coder_server.ports.provider import Dialect, Provider

Record = dict[str, Any]

APIS = ("openai-chat", "openai-responses", "anthropic-messages", "gemini-generate")
KEPT_HERE = Path(__file__).parent / "data"
DATA_VARIABLE = "MONKEY_CODER_DATA"
"""Names a folder that holds more recordings than may be republished here (the Moonshot ones among them)."""

USAGE_FIELDS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "total_tokens": "total_tokens",
    "cached_input_tokens": "cached_input_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "reasoning_tokens": "reasoning_tokens",
    "tool_use_prompt_tokens": "tool_input_tokens",
}

KEPT_OF_MESSAGE = 500
"""A codec may cut a long error page; its beginning must be the provider's."""


def folder() -> Path:
    """Where the recordings are read from."""
    root = os.environ.get(DATA_VARIABLE)
    if not root:
        return KEPT_HERE
    inside = Path(root) / "provider-recordings"
    return inside if inside.is_dir() else Path(root)


@cache
def records(apis: tuple[str, ...] = APIS) -> tuple[Record, ...]:
    """Every recording of these APIs, in a stable order."""
    found: list[Record] = []
    for path in sorted(folder().glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found.extend(record for record in map(json.loads, lines) if record["api"] in apis)
    return tuple(found)


@cache
def dialect_of(provider: str, api: str) -> Dialect:
    """The dialect, with its quirks, in which our record of this provider speaks this API.

    Others (Azure, OpenRouter, Hugging Face) are plain OpenAI-compatible servers, recorded with Kimi models.
    """
    if provider not in USAGE_RULES:
        codec = import_module("monkey_coder_server.dialects.openai_chat")
        return codec.OpenAIChat(codec.Quirks(provider=provider))  # type: ignore[no-any-return]  # loaded by name
    ours = _provider(provider)
    return next((dialect for dialect in ours.further_dialects if dialect.name == api), ours.dialect)


def usage_rule_of(record: Record) -> UsageRule:
    """How the provider counts in this API."""
    if record["provider"] not in USAGE_RULES:
        return UsageRule()
    ours = _provider(record["provider"])
    return ours.usage_rules.get(record["api"], ours.usage_rule)


def _provider(name: str) -> Provider:
    return import_module(f"monkey_coder_server.providers.{name}").PROVIDER  # type: ignore[no-any-return]  # loaded by name


def body_of(record: Record) -> bytes:
    """The response body as it came over the wire."""
    return str(record["response"]["body"]).encode()


def is_http_error(record: Record) -> bool:
    return int(record["response"]["status"]) >= 400


def failure_of(record: Record) -> ProviderFailure:
    """Our reading of a recorded HTTP error."""
    response = record["response"]
    headers = {name.lower(): value for name, value in response["headers"].items()}
    return dialect_of(record["provider"], record["api"]).decode_error(response["status"], headers, body_of(record))


def stream(dialect: Dialect, pieces: Sequence[bytes]) -> list[Event]:
    """The events a stream gives when it arrives in these pieces."""
    decoder = dialect.decoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return [*events, *decoder.finish()]


def read(record: Record, pieces: Sequence[bytes] | None = None) -> list[Event]:
    """The events of a recorded answer: whole, or as a stream in pieces."""
    dialect = dialect_of(record["provider"], record["api"])
    if record["stream"]:
        return stream(dialect, [body_of(record)] if pieces is None else pieces)
    return list(dialect.decode(body_of(record)))


def cut(body: bytes, seed: int, *, largest: int) -> list[bytes]:
    """The body in pieces of 1 to `largest` bytes, cut without regard to lines or characters."""
    dice = random.Random(seed)
    return list(_slices(body, dice, largest))


def _slices(body: bytes, dice: random.Random, largest: int) -> Iterator[bytes]:
    at = 0
    while at < len(body):
        size = dice.randint(1, largest)
        yield body[at : at + size]
        at += size


def fold(events: Sequence[Event]) -> Answer:
    """The answer the events add up to, in a form two of which can be compared."""
    answer = Answer()
    for event in events:
        answer.apply(event)
    answer.text = ["".join(answer.text)]
    answer.refusal = ["".join(answer.refusal)]
    answer._arguments = []
    return answer


def disorder(events: Sequence[Event]) -> list[str]:
    """What breaks the vocabulary's order: `Opened` first, exactly one end, at the end."""
    ends = [index for index, event in enumerate(events) if isinstance(event, Finished | Failed)]
    opened = [index for index, event in enumerate(events) if isinstance(event, Opened)]
    found = []
    if ends != [len(events) - 1]:
        found.append(f"ends at {ends} of {len(events)} events")
    if opened and opened != [0]:
        found.append(f"opened at {opened}")
    if not opened and not isinstance(events[0], Failed):
        found.append("content before it was opened")
    return found


def differences(record: Record, answer: Answer) -> list[str]:
    """Where our answer differs from what the official SDK made of the same bytes; empty when nowhere."""
    expected = record["expected"]
    ours: dict[str, Any] = {
        "text": "".join(answer.text),
        "reasoning": _reasoning(answer, expected["reasoning"]),
        "refusal": "".join(answer.refusal) or None,
        "finish_reason": answer.native_finish,
    }
    theirs = {name: expected[name] for name in ours}
    theirs["refusal"] = theirs["refusal"] or None
    ours |= {f"usage.{field}": _reported(answer, name) for field, name in USAGE_FIELDS.items()}
    theirs |= {f"usage.{field}": (expected["usage"] or {}).get(field) for field in USAGE_FIELDS}
    ours["tool_calls"], theirs["tool_calls"] = _calls(expected["tool_calls"], answer)
    ours["end"] = answer.failure.kind if answer.failure else None
    theirs["end"] = FailureKind.CUT_SHORT if expected.get("truncated_stream") else None
    if expected["kind"] == "stream_error":
        theirs["end"] = expected_kind(record)
    if record["api"] == "openai-responses":
        ours["server_items"], theirs["server_items"] = [item.type for item in answer.server_items], _ran(expected)
        if expected.get("truncated_stream"):  # without the last event the SDK has nothing but the text
            theirs |= {name: ours[name] for name in ("reasoning", "tool_calls", "server_items")}
    if expected["finish_reason"] is None and not ("".join(answer.text) or answer.calls or record["stream"]):
        theirs["end"] = ours[
            "end"
        ]  # the SDK hands on an answer of nothing; we may fail it, so that another model is asked
    return _differing(record, ours, theirs)


def error_differences(record: Record, failure: ProviderFailure | None) -> list[str]:
    """Where our reading of an error differs from the SDK's."""
    if failure is None:
        return ["no failure"]
    expected = record["expected"]["error"]
    streamed = record["expected"]["kind"] == "stream_error"
    ours: dict[str, Any] = {
        "error.status": None if streamed else failure.status,
        "error.type": failure.type,
        "error.code": failure.code,
        "error.message": failure.message.strip()[:KEPT_OF_MESSAGE],
        "error.kind": failure.kind,
    }
    theirs = {
        "error.status": None if streamed else expected["status"],
        "error.type": expected["type"],
        "error.code": None if expected["code"] is None else str(expected["code"]),
        "error.message": (expected["message"] or "").strip()[:KEPT_OF_MESSAGE],
        "error.kind": expected_kind(record),
    }
    if expected["retry_after"] is not None:
        ours["error.retry_after"], theirs["error.retry_after"] = failure.retry_after, float(expected["retry_after"])
    return _differing(record, ours, theirs)


def _differing(record: Record, ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    known = {name for name in theirs if theirs[name] is None and _the_sdk_reads_less(record, name)}
    names = [name for name in ours if ours[name] != theirs[name] and name not in known]
    return [f"{name}: ours {ours[name]!r}, expected {theirs[name]!r}" for name in names]


def _the_sdk_reads_less(record: Record, name: str) -> bool:
    """Whether this is a field the wire carries and the oracle leaves null: there, and nowhere else, we may say more."""
    if record["api"] != "openai-chat":
        return False
    body = record["response"]["body"]
    if name == "usage.cache_write_tokens":  # in prompt_tokens_details, not a field of that SDK version
        return '"cache_write_tokens"' in body
    if name == "error.code":  # xAI's code stands beside its error string, where the SDK does not look
        return re.search(r'"error"\s*:\s*"', body) is not None
    return False


def expected_kind(record: Record) -> FailureKind:
    """Which of our kinds a recorded error is: a table of facts, kept apart from the code under test."""
    error = record["expected"]["error"]
    words = f"{error['status']} {error['type']} {error['code']} {error['message']}"
    for fragment, kind in _KINDS:
        if fragment in words:
            return kind
    message = f"no kind is written down for {words[:120]}"
    raise LookupError(message)


_KINDS = (
    ("model_not_found", FailureKind.NOT_FOUND),
    ("tool_use_failed", FailureKind.MALFORMED),
    ("insufficient_quota", FailureKind.QUOTA),
    ("exceeded_current_quota_error", FailureKind.QUOTA),
    ("PerDay", FailureKind.QUOTA),
    ("credit balance is too low", FailureKind.QUOTA),
    ("content_filter", FailureKind.CONTENT_FILTER),
    ("context_length_exceeded", FailureKind.CONTEXT_TOO_LONG),
    ("prompt is too long", FailureKind.CONTEXT_TOO_LONG),
    ("too_many_prompt_tokens", FailureKind.CONTEXT_TOO_LONG),
    ("maximum prompt length", FailureKind.CONTEXT_TOO_LONG),
    ("input token count", FailureKind.CONTEXT_TOO_LONG),
    ("Request too large", FailureKind.CONTEXT_TOO_LONG),
    ("API key", FailureKind.AUTHENTICATION),
    ("API Key", FailureKind.AUTHENTICATION),
    ("401 ", FailureKind.AUTHENTICATION),
    ("404 ", FailureKind.NOT_FOUND),
    ("overloaded", FailureKind.OVERLOADED),
    ("rate_limit", FailureKind.RATE_LIMIT),
    ("429 ", FailureKind.RATE_LIMIT),
    ("402 ", FailureKind.QUOTA),
    ("403 ", FailureKind.PERMISSION),
    ("408 ", FailureKind.TIMEOUT),
    ("413 ", FailureKind.CONTEXT_TOO_LONG),
    ("504 ", FailureKind.TIMEOUT),
    ("503 ", FailureKind.OVERLOADED),
    ("529 ", FailureKind.OVERLOADED),
    ("400 ", FailureKind.INVALID_REQUEST),
    ("invalid_request_error", FailureKind.INVALID_REQUEST),
    ("409 ", FailureKind.INVALID_REQUEST),
    ("422 ", FailureKind.INVALID_REQUEST),
    ("500 ", FailureKind.SERVER_ERROR),
    ("502 ", FailureKind.SERVER_ERROR),
    ("api_error", FailureKind.SERVER_ERROR),
    ("server_error", FailureKind.SERVER_ERROR),
    ("INTERNAL", FailureKind.SERVER_ERROR),
)


def _ran(expected: dict[str, Any]) -> list[str]:
    """The types of the items the provider ran itself."""
    return list(expected.get("server_items") or ())


def _reasoning(answer: Answer, expected: str) -> str:
    """The thinking blocks joined as `expected` joins them: by a line feed where an answer was not streamed."""
    blocks = [thought.text for thought in answer.thinking if thought.redacted is None]
    return "\n".join(blocks) if "\n".join(blocks) == expected else "".join(blocks)


def _reported(answer: Answer, name: str) -> int | None:
    value = getattr(answer.usage, name, None)
    return None if value is None else int(value)


def _calls(expected: list[dict[str, Any]], answer: Answer) -> tuple[list[Any], list[Any]]:
    """Both sides' tool calls in one form: our ids only count where the provider gave one."""
    theirs = [(call["id"], call["name"], call["arguments"]) for call in expected]
    ours = []
    for index, call in enumerate(answer.calls):
        given = theirs[index] if index < len(theirs) else (call.id, call.name, None)
        arguments = given[2] if _begun(call.arguments, given[2]) else parsed(call.arguments)
        ours.append((call.id if given[0] is not None else None, call.name, arguments))
    return ours, theirs


def _begun(arguments: str, snapshot: Any) -> bool:
    """Whether cut-off arguments begin with the object an SDK's accumulator closed for them (Anthropic's does)."""
    ours = parsed(arguments)
    if not isinstance(snapshot, dict) or not isinstance(ours, dict) or "__unparsed__" not in ours:
        return False
    closed = json.dumps(snapshot, ensure_ascii=False).rstrip("}]")
    return "".join(arguments.split()).startswith("".join(closed.split()))


def parsed(arguments: str) -> Any:
    """Arguments as `expected` writes them: none are an empty object, broken ones stand as text."""
    if not arguments:
        return {}
    try:
        return json.loads(arguments)
    except ValueError:
        return {"__unparsed__": arguments}
