"""What the sandbox tests share: simulators asked without sockets, and the shapes of recorded answers."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from monkey_coder_server.sandbox.served import Served
from monkey_coder_server.sandbox.wires import responses_wire, wire
from monkey_coder_server.sandbox.world import World

PRICED_AT = datetime(2026, 11, 1, tzinfo=UTC)
MODELS = {
    "openai": "gpt-4o",
    "anthropic": "claude-sonnet-4-5",
    "google": "gemini-2.5-flash",
    "groq": "openai/gpt-oss-120b",
    "xai": "grok-3-mini",
    "perplexity": "sonar",
    "moonshot": "kimi-k2.5",
}
RESPONDING = {"openai": "gpt-5.2", "xai": "grok-4.3"}
"""Models that are asked for responses."""
HEADERS = {
    "authorization": "Bearer test-key",
    "x-api-key": "test-key",
    "x-goog-api-key": "test-key",
    "anthropic-version": "2023-06-01",
}


@dataclass(frozen=True)
class Answer:
    """A simulated answer as bytes, with what was counted."""

    served: Served
    body: bytes
    stream: bool

    @property
    def documents(self) -> list[Any]:
        """The JSON documents of the answer: one when whole, one per SSE event when streamed."""
        if not self.stream:
            return [json.loads(self.body)]
        lines = self.body.replace(b"\r\n", b"\n").split(b"\n")
        data = [line.removeprefix(b"data: ") for line in lines if line.startswith(b"data: ")]
        return [json.loads(item) for item in data if item != b"[DONE]"]


@dataclass
class Simulated:
    """All seven simulators, asked directly."""

    world: World

    def body(self, provider: str, prompt: str, **more: Any) -> dict[str, Any]:
        """A minimal request in the provider's format; `more` goes on top."""
        if provider == "google":
            return {"contents": [{"role": "user", "parts": [{"text": prompt}]}], **more}
        limit = {"max_tokens": 4_000} if provider == "anthropic" else {}
        return {"model": MODELS[provider], "messages": [{"role": "user", "content": prompt}], **limit, **more}

    def ask(self, provider: str, body: dict[str, Any], *, stream: bool = False, model: str = "") -> Answer:
        """Answer a request. Raises Refused."""
        model = model or str(body.get("model", MODELS[provider]))
        spoken = wire(provider, model=model, stream=stream)
        if provider != "google":
            body = body | {"stream": stream}
        card = self.world.card(provider, model)
        assert card is not None, model
        ask = spoken.read(card, body, self.world.identifiers)
        directive = self.world.directive(ask, "")
        served = self.world.serve(card, ask, self.world.reply(ask, directive), directive)
        if stream:
            data = b"".join(frame.data for frame in spoken.frames(served, self.world.identifiers))
        else:
            data = spoken.whole(served, self.world.identifiers)
        return Answer(served, data, stream)

    def respond(self, provider: str, given: Any, *, stream: bool = False, model: str = "", **more: Any) -> Answer:
        """Answer a Responses request whose input is `given`. Raises Refused."""
        model = model or RESPONDING[provider]
        spoken = responses_wire(provider)
        card = self.world.card(provider, model)
        assert card is not None, model
        body = {"model": model, "input": given, "stream": stream, **more}
        ask = spoken.read(card, body, self.world.identifiers)
        directive = self.world.directive(ask, "")
        served = self.world.serve(card, ask, self.world.reply(ask, directive), directive)
        if stream:
            data = b"".join(frame.data for frame in spoken.frames(served, self.world.identifiers))
        else:
            data = spoken.whole(served, self.world.identifiers)
        return Answer(served, data, stream)

    def prompt(self, provider: str, prompt: str, *, stream: bool = False, **more: Any) -> Answer:
        """Answer a minimal request."""
        return self.ask(provider, self.body(provider, prompt, **more), stream=stream)


_ECHOED = frozenset({"tools", "tool_choice", "format", "metadata"})
"""What an answer of OpenAI Responses repeats of its request."""


def key_paths(value: Any, prefix: str = "") -> Iterator[str]:
    """Every key of a JSON value as a path; what a model or a caller made up is left out."""
    if isinstance(value, dict):
        for key, item in value.items():
            path = f"{prefix}.{key}"
            yield path
            if key not in {"input", "args", "arguments", "parsed", "details", *_ECHOED}:
                yield from key_paths(item, path)
    elif isinstance(value, list):
        for item in value:
            yield from key_paths(item, f"{prefix}[]")


def recorded_shapes(folder: Path) -> dict[str, dict[str, list[str]]]:
    """`provider whole|stream|error` → the key paths seen in any (`allowed`) and in every (`required`) recording."""
    seen: dict[str, list[set[str]]] = {}
    for provider in MODELS:
        with gzip.open(folder / f"{provider}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                spoken = {"openai-responses": "responses "}.get(record["api"], "")
                if not spoken and record["api"] not in {"openai-chat", "anthropic-messages", "gemini-generate"}:
                    continue
                if {"server_tools", "truncated", "stream_error"} & set(record["features"]):
                    continue
                kind, paths = _shape(record)
                if paths:
                    seen.setdefault(f"{provider} {spoken}{kind}", []).append(paths)
    return {
        name: {"allowed": sorted(set().union(*sets)), "required": sorted(set.intersection(*sets))}
        for name, sets in sorted(seen.items())
    }


def _shape(record: dict[str, Any]) -> tuple[str, set[str]]:
    body, status = record["response"]["body"], record["response"]["status"]
    try:
        if status >= 400:
            return "error", set(key_paths(json.loads(body)))
        if not record["stream"]:
            return "whole", set(key_paths(json.loads(body)))
        lines = body.replace("\r\n", "\n").split("\n")
        data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ") and line != "data: [DONE]"]
        return "stream", {path for item in data for path in key_paths(json.loads(item))}
    except json.JSONDecodeError:
        return "other", set()
