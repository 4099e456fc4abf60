"""Two hundred callers at once, who note what they were given, until the gateway is gone."""

import asyncio
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp

AT_ONCE = 200
MODELS = (
    "openai/gpt-4.1-mini",
    "anthropic/claude-haiku-4-5",
    "google/gemini-2.5-flash",
    "groq/llama-3.3-70b-versatile",
    "xai/grok-3-mini",
    "moonshot/kimi-k2.6",
)
STEERING = "output_tokens=20 reasoning_tokens=5 tokens_per_second=12 first_token_ms=40"
"""Answers of two seconds: two hundred at once are 100 requests and 2,000 events a second."""
COMPLETE, ERROR, CUT, REFUSED = "complete", "error", "cut", "refused"
A_WORD = b'"type":"delta"'
NOT_NOW = "unavailable"
TRIES, PAUSE_SECONDS = 20, 1.0
"""How often a caller takes that for an answer and asks again, as it is told to, and after how long."""


@dataclass(slots=True)
class Heard:
    """What one caller was given. `cost_usd` is what a complete answer says it cost."""

    number: int
    model: str
    stream: bool
    named: bool
    """Whether it bears an id of its own (`task_id`): then it may be asked again and is served once."""
    request_id: str = ""
    begun: bool = False
    """Whether a word of the answer came."""
    received: bytearray = field(default_factory=bytearray)
    """What came of a stream that did not end."""
    ended: str = CUT
    cost_usd: str = ""
    error: str = ""
    said: str = ""
    """The sentence of a refusal."""
    replayed: bool = False

    @property
    def text(self) -> str:
        """The words of a stream that did not end."""
        whole = self.received[: self.received.rfind(b"\n\n") + 1]
        events = [_loads(line[6:]) for line in whole.splitlines() if line.startswith(b"data: ")]
        return "".join(event["data"] for event in events if event["type"] == "delta")


class Callers:
    """Callers of one gateway. Each asks, listens to the end, asks again; all stop once nobody answers any more."""

    def __init__(self, base_url: str, key: str, *, seed: int, steering: str = STEERING) -> None:
        self._steering = steering
        self._base_url = base_url
        self._headers = {"authorization": f"Bearer {key}"}
        self._random = Random(seed)
        self._numbers: Iterator[int] = itertools.count(seed * 1_000_000)
        self._leaving = False
        self.heard: list[Heard] = []

    async def ask_until_gone(self, at_once: int = AT_ONCE) -> None:
        """Keep so many requests going as long as the gateway lives, or until `leave`."""
        async with self._session() as session, asyncio.TaskGroup() as callers:
            for _ in range(at_once):
                callers.create_task(self._call(session))

    def leave(self) -> None:
        """Ask no more once what was asked has ended."""
        self._leaving = True

    async def ask_once(self, callers: int, *, stream: bool = True) -> list[Heard]:
        """One request each."""
        asked = [Heard(next(self._numbers), self._random.choice(MODELS), stream, named=False) for _ in range(callers)]
        self.heard += asked
        async with self._session() as session, asyncio.TaskGroup() as calling:
            for one in asked:
                calling.create_task(self._ask(session, one))
        return asked

    async def ask_again(self, cut: list[Heard]) -> list[Heard]:
        """Ask once more, under the same ids, what was cut short; so many at once as before."""
        again = [Heard(one.number, one.model, one.stream, named=True) for one in cut]
        left = iter(again)

        async def caller(session: aiohttp.ClientSession) -> None:
            for one in left:
                await self._insist(session, one)

        async with self._session() as session, asyncio.TaskGroup() as callers:
            for _ in range(AT_ONCE):
                callers.create_task(caller(session))
        return again

    async def _insist(self, session: aiohttp.ClientSession, heard: Heard) -> bool:
        """Ask, and again where the gateway has no time or place for it now. Whether it was there to the end."""
        for _ in range(TRIES):
            heard.ended, heard.error = CUT, ""
            there = await self._ask(session, heard)
            if heard.ended != REFUSED or heard.error != NOT_NOW:
                return there
            await asyncio.sleep(PAUSE_SECONDS)
        return True

    def _session(self) -> aiohttp.ClientSession:
        timeout = aiohttp.ClientTimeout(total=60)
        connector = aiohttp.TCPConnector(limit=0)
        return aiohttp.ClientSession(headers=self._headers, connector=connector, timeout=timeout)

    async def _call(self, session: aiohttp.ClientSession) -> None:
        alive = True
        while alive and not self._leaving:
            number = next(self._numbers)
            heard = Heard(number, self._random.choice(MODELS), self._random.random() < 0.9, self._random.random() < 0.3)
            self.heard.append(heard)
            alive = await self._insist(session, heard)

    async def _ask(self, session: aiohttp.ClientSession, heard: Heard) -> bool:
        """Whether the gateway was there to the end."""
        path = "/v1/execute/stream" if heard.stream else "/v1/execute"
        try:
            async with session.post(self._base_url + path, json=_body(heard, self._steering)) as response:
                heard.request_id = response.headers.get("x-request-id", "")
                heard.replayed = response.headers.get("idempotent-replayed") == "true"
                if heard.stream and response.status == 200:
                    await _listen(response, heard)
                else:
                    _take(await response.json(loads=_loads), response.status, heard)
        except (aiohttp.ClientError, OSError):
            return False
        if heard.ended == REFUSED:
            await asyncio.sleep(0.05)
        return heard.ended != CUT


def _body(heard: Heard, steering: str) -> dict[str, Any]:
    body = {
        "task_type": "code_generation",
        "prompt": f"write a queue, variant {heard.number} [[sandbox {steering}]]",
        "model": heard.model,
    }
    return {"task_id": f"task-{heard.number}", **body} if heard.named else body


async def _listen(response: aiohttp.ClientResponse, heard: Heard) -> None:
    async for piece in response.content.iter_any():
        heard.received += piece
        heard.begun = heard.begun or A_WORD in heard.received
    event = _loads(heard.received.rpartition(b"data: ")[2] or b"{}")
    heard.received.clear()
    if event.get("type") == "complete":
        _take(event["data"], 200, heard)
    elif event.get("type") == "error":
        heard.ended, heard.error = ERROR, event["error"].get("code", "")


def _take(body: dict[str, Any], status: int, heard: Heard) -> None:
    """A whole answer, or the last event of a stream."""
    if status != 200:
        heard.ended, heard.error, heard.said = REFUSED, body.get("error_code", ""), body.get("message", "")
        return
    heard.ended = COMPLETE
    heard.cost_usd = body["result"]["metadata"]["cost_usd"]
    heard.request_id = body["result"]["metadata"]["request_id"]
    heard.begun = True


def _loads(text: bytes | bytearray | str) -> Any:
    return json.loads(text, parse_float=str)
