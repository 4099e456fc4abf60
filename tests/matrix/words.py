"""What the drivers of the four dialects have in common: what is asked, and what was said."""

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

PATIENCE = 60.0
"""Seconds an SDK waits: long for a simulator, short for a test."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call."""

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A call the model made; `id` as the dialect gave it (Gemini's may be None)."""

    id: str | None
    name: str
    arguments: Any


def read_arguments(written: str) -> Any:
    """A call's arguments; the text itself, marked, where it was cut off."""
    try:
        return json.loads(written or "{}")
    except ValueError:
        return {"__unparsed__": written}


@dataclass(frozen=True, slots=True)
class Returned:
    """What a tool returned: text, and PNG images as base64."""

    call: Call
    text: str
    images: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens by one rule for all dialects: cached input is part of `prompt`, reasoning part of `output`."""

    prompt: int
    cached: int
    output: int
    reasoning: int | None
    """None where the dialect has no place for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One answer as the dialect's official SDK reads it; `finish` in the dialect's own word."""

    text: str
    calls: tuple[Call, ...]
    finish: str
    usage: Usage | None
    cost: Decimal | None
    headers: Mapping[str, str]
    thinking: str = ""
    refusal: str = ""
    pieces: int = 0
    """Frames with something of the answer in them; 0 for a whole answer."""

    @property
    def request_id(self) -> str:
        """Ours, as the header tells it."""
        return self.headers["x-request-id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is asked for beside the conversation. `choice`: `auto`, `required`, `none` or a tool's name."""

    system: str | None = None
    tools: tuple[Tool, ...] = ()
    choice: str | None = None
    parallel: bool | None = None
    schema: Mapping[str, Any] | None = None
    thinking: bool = False
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()


PLAIN = Options()


@dataclass(slots=True)
class Conversation(ABC):
    """A conversation in one dialect, kept as that SDK's users keep it: the answers handed back as they came."""

    model: str
    history: list[Any] = field(default_factory=list)

    @abstractmethod
    def say(self, text: str, images: Sequence[str] = ()) -> None:
        """Say something, and show PNG images."""

    @abstractmethod
    def hand_back(self, results: Sequence[Returned]) -> None:
        """Give the results of the last answer's calls."""

    @abstractmethod
    def ask(self, options: Options = PLAIN, *, stream: bool = False) -> Said:
        """Have the model answer; the answer becomes part of the conversation."""

    @abstractmethod
    async def leave(self, options: Options = PLAIN, *, after: int) -> str:
        """Ask for a stream and be cancelled after so many frames; our request id."""


async def hang_up(frames: AsyncIterator[Any], after: int) -> Any:
    """Read so many frames, then be cancelled in the middle of waiting for more; the last one read."""
    read: list[Any] = []
    enough = asyncio.Event()

    async def reading() -> None:
        async for frame in frames:
            read.append(frame)
            if len(read) >= after:
                enough.set()

    task = asyncio.create_task(reading())
    await asyncio.wait_for(enough.wait(), PATIENCE)
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return read[-1]


class Driver(ABC):
    """One official SDK, pointed at the gateway."""

    name: str
    finishes: Mapping[str, str]
    """The dialect's word for each way to end: stop, length, calls, stop sequence, filter."""
    errors: Mapping[str, tuple[type[Exception], int]]
    """The SDK's class and the HTTP status of each kind of error before the stream (CONTRACT §3)."""
    broken: tuple[type[Exception], ...]
    """What the SDK may raise for an error after the stream began; none where a cut is told by the finish alone."""

    @abstractmethod
    def talk(self, model: str) -> Conversation:
        """Begin a conversation."""

    @abstractmethod
    def close(self) -> None:
        """Close the client's connections."""
