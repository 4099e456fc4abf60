"""Single questions to single gateways, and how long until each of them knows of something."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

BRIEF = "[[sandbox output_tokens=10 tokens_per_second=1000 first_token_ms=1]]"
MODEL = "openai/gpt-4.1-mini"
OFTEN = 0.01
OK = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway said; `status` 0: nothing."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def cost(self) -> str:
        """USD of an answer; what it was refused as."""
        if self.status != OK:
            return str(self.body.get("error_code", self.status))
        return str(self.body["result"]["metadata"]["cost_usd"])


async def call(
    door: str, method: str, path: str, key: str, body: Mapping[str, Any] | None = None, *, within: float = 30.0
) -> Answer:
    """Ask something else than work."""
    timeout = aiohttp.ClientTimeout(total=within)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, door + path, json=body, headers={"authorization": f"Bearer {key}"}) as response,
        ):
            said = await response.json(content_type=None) if response.status != 204 else {}
            return Answer(response.status, said or {}, dict(response.headers))
    except (aiohttp.ClientError, OSError, ValueError):  # a `TimeoutError` is an `OSError`
        return Answer(0, {}, {})


async def work(door: str, key: str, steering: str = BRIEF) -> Answer:
    """Ask for an answer."""
    body = {
        "task_type": "code_generation",
        "prompt": f"a queue {steering}",
        "model": MODEL,
        "context": {"max_tokens": 10},
    }
    return await call(door, "POST", "/v1/execute", key, body)


async def until(question: Callable[[], Awaitable[bool]], *, within: float, in_a_row: int = 1) -> float:
    """Seconds until it is answered yes so often in a row, the first of them; infinite when it is not in time."""
    begun, row, first = time.monotonic(), 0, 0.0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within):
            while row < in_a_row:
                if await question():
                    first, row = (first if row else time.monotonic()), row + 1
                else:
                    row = 0
                    await asyncio.sleep(OFTEN)
            return first - begun
    return float("inf")


async def refused(door: str, key: str, *, within: float, in_a_row: int = 1) -> float:
    """Seconds until every process behind a door takes a key no more."""

    async def asked() -> bool:
        return (await call(door, "GET", "/anthropic/v1/models", key)).status == 401

    return await until(asked, within=within, in_a_row=in_a_row)


def ready(door: str, *, within: float = 30.0) -> Awaitable[Answer]:
    """What a gateway says of itself."""
    return call(door, "GET", "/health/ready", "", within=within)
