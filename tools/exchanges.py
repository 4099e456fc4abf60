"""Recorded exchanges whose request, answer and usage are all known: what real requests really took."""

import gzip
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from monkey_coder_server.dialects.anthropic_messages.front import MessagesFront
from monkey_coder_server.dialects.gemini.front import GeminiFront
from monkey_coder_server.dialects.openai_chat import ChatFront
from monkey_coder_server.dialects.openai_responses.front import ResponsesFront
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.prompt_tokens import PromptSize, prompt_size
from monkey_coder_server.domain.usage import USAGE_RULES, ReportedUsage, Usage, UsageRule, normalise
from monkey_coder_server.ports.front import Envelope, Front

Record = dict[str, Any]
KEPT = Path(__file__).parents[1] / "packages/server/tests/recordings"
DATA_VARIABLE = "MONKEY_CODER_DATA"
"""Names a folder that holds more recordings than may be republished here (Moonshot's among them)."""
FRONTS: Mapping[str, Front] = {
    "openai-chat": ChatFront(),
    "openai-responses": ResponsesFront(),
    "anthropic-messages": MessagesFront(),
    "gemini-generate": GeminiFront(),
}
_CHANGED = ("elided", "composed", "missing", "abbreviated")
"""Words of notes on records whose request or answer is not whole."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request as it was read, and what its provider counted. `source` is the file it comes from."""

    provider: str
    model: str
    request: ModelRequest
    size: PromptSize
    usage: Usage
    source: str


@cache
def exchanges() -> tuple[Exchange, ...]:
    """Every exchange that is known whole, in a stable order."""
    return tuple(exchange for record in _records() if (exchange := _exchange(record)) is not None)


def _records() -> Iterator[Record]:
    root = os.environ.get(DATA_VARIABLE)
    folder = Path(root) / "provider-recordings" if root else KEPT / "data"
    bodies = {} if root else _bodies()
    for path in sorted(folder.glob("*.jsonl.gz")):
        for record in _lines(path):
            record.setdefault("request", bodies.get(record["id"]))
            yield record


def _bodies() -> dict[str, Record]:
    """Requests kept apart from their answers, by id."""
    return {record["id"]: record for path in (KEPT / "requests").glob("*.jsonl.gz") for record in _lines(path)}


def _lines(path: Path) -> Iterator[Record]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _exchange(record: Record) -> Exchange | None:
    front, asked, expected = FRONTS.get(record["api"]), record["request"], record.get("expected") or {}
    told = " ".join(map(str, record.get("notes") or ()))
    if front is None or asked is None or expected.get("kind") != "message" or any(word in told for word in _CHANGED):
        return None
    body, path = asked.get("body"), str(asked.get("path", ""))
    if not isinstance(body, dict):
        return None
    model = str(body.get("model") or path.rpartition("models/")[2].partition(":")[0])
    headers = {name.lower(): value for name, value in (asked.get("headers") or {}).items()}
    envelope = Envelope(headers=headers, query={}, path_model=model, stream=record["stream"])
    try:
        request = front.read(json.dumps(body, ensure_ascii=False).encode(), envelope).request
    except InvalidRequest:
        return None
    usage = _usage(record, expected.get("usage") or {})
    source = record["source"]
    where = f"{source['repo']}:{source['path']}"
    return Exchange(record["provider"], model, request, prompt_size(request), usage, where)


def _usage(record: Record, told: Mapping[str, int | None]) -> Usage:
    provider = record["provider"]
    inside = record["api"] == "openai-responses"
    rule = UsageRule() if inside else USAGE_RULES.get(provider, UsageRule())
    reported = ReportedUsage(
        input_tokens=told.get("input_tokens"),
        output_tokens=told.get("output_tokens"),
        total_tokens=told.get("total_tokens"),
        cached_input_tokens=told.get("cached_input_tokens"),
        cache_write_tokens=told.get("cache_write_tokens"),
        reasoning_tokens=told.get("reasoning_tokens"),
        tool_input_tokens=told.get("tool_use_prompt_tokens"),
    )
    return normalise(rule, reported)
