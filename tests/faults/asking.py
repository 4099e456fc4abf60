"""Requests that leave the model to the gateway, and what each was told."""

import asyncio
import itertools
import json
import time
from dataclasses import dataclass
from random import Random
from typing import Any

import aiohttp

from tests.faults.faults import MODELS

STEERING = "output_tokens=20 tokens_per_second=100 first_token_ms=40"
STREAMS, PREFERRED = 0.7, 0.5
"""Shares of requests that stream, and that would rather have the provider in trouble."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a request ended. `error` is empty when its whole answer came; `cost_usd` is what it was told it cost."""

    seconds: float
    request_id: str = ""
    cost_usd: str = ""
    error: str = ""


class Callers:
    """So many at a time, without a pause."""

    def __init__(self, door: str, key: str, provider: str, *, seed: int) -> None:
        self._door = door
        self._key = key
        self.provider = provider
        self._chance = Random(seed)
        self._numbers = itertools.count(1)
        self.asked: list[Asked] = []

    async def ask_for(self, seconds: float, at_once: int, *, least: int = 1) -> None:
        """Ask for so long and at least so often, and hear every answer to its end."""
        ends = time.monotonic() + seconds
        timeout = aiohttp.ClientTimeout(total=120)
        headers = {"authorization": f"Bearer {self._key}"}
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
            await asyncio.gather(*(self._call(session, ends, least) for _ in range(at_once)))

    async def _call(self, session: aiohttp.ClientSession, ends: float, least: int) -> None:
        while time.monotonic() < ends or len(self.asked) < least:
            stream, body = self._next()
            began = time.monotonic()
            try:
                async with session.post(f"{self._door}/v1/execute{'/stream' if stream else ''}", json=body) as reply:
                    told = _told(reply.status, await reply.read(), stream=stream)
            except (aiohttp.ClientError, OSError) as broken:
                told = {"error": type(broken).__name__}
            self.asked.append(Asked(time.monotonic() - began, **told))

    def _next(self) -> tuple[bool, dict[str, Any]]:
        chance, number = self._chance, next(self._numbers)
        prompt = f"write a queue for {self.provider}, variant {number} [[sandbox {STEERING}]]"
        body: dict[str, Any] = {"task_type": "code_generation", "prompt": prompt, "context": {"max_tokens": 64}}
        if chance.random() < PREFERRED:
            body["model_preferences"] = {self.provider: MODELS[self.provider]}
        return chance.random() < STREAMS, body


def _told(status: int, whole: bytes, *, stream: bool) -> dict[str, str]:
    if status != 200:
        return {"error": str(json.loads(whole).get("error_code", status))}
    said = json.loads(whole.rpartition(b"data: ")[2] if stream else whole, parse_float=str)
    if stream and said["type"] != "complete":
        return {"error": f"stream: {said.get('error', {}).get('code', 'cut')}"}
    metadata = (said["data"] if stream else said)["result"]["metadata"]
    return {"request_id": metadata["request_id"], "cost_usd": metadata["cost_usd"]}
