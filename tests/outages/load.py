"""Callers of all keys at both gateways, steadily."""

import asyncio
import itertools
from collections import Counter
from random import Random

import aiohttp

from tests.outages.asking import Asked, ask
from tests.outages.house import House, Payer

AT_ONCE = 3
"""Callers of one key at one gateway: thirty in all."""
MODELS = (
    "openai/gpt-4.1-mini",
    "anthropic/claude-haiku-4-5",
    "google/gemini-2.5-flash",
    "groq/llama-3.3-70b-versatile",
    "xai/grok-3-mini",
    "moonshot/kimi-k2.6",
)
NAMED, STREAMS = 0.1, 0.7
"""Shares of the requests of keys that have plenty, and of all."""
WARM, WARM_SECONDS = 10, 60.0
"""Requests of a key at a gateway that were served, after which its lease is as large as its demand; and patience."""
PAUSE = 0.5
"""Seconds after a refusal."""


class Load:
    """Everybody; `asked` is all they ever asked."""

    def __init__(self, house: House, *, seed: int = 1, at_once: int = AT_ONCE) -> None:
        self._house = house
        self._at_once = at_once
        self._chance = Random(seed)
        self._numbers = itertools.count(1)
        self._leaving = False
        self._calling: list[asyncio.Task[None]] = []
        self.asked: list[Asked] = []

    def start(self) -> None:
        """Begin to ask."""
        places = itertools.product(self._house.doors, self._house.payers, range(self._at_once))
        self._calling = [asyncio.create_task(self._call(door, payer)) for door, payer, _ in places]

    async def warm(self) -> None:
        """Wait until every key that has plenty is on a lease at each gateway: what it asks covers its spending.

        Raises TimeoutError.
        """
        steady = {payer.name for payer in self._house.payers if payer.most is None}
        async with asyncio.timeout(WARM_SECONDS):
            while True:
                served = Counter((one.door, one.payer) for one in self.asked if one.served and one.payer in steady)
                if all(served[place] >= WARM for place in itertools.product(self._house.doors, steady)):
                    return
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Let everybody hear their last answer to the end."""
        self._leaving = True
        await asyncio.gather(*self._calling)

    async def _call(self, door: str, payer: Payer) -> None:
        headers = {"authorization": f"Bearer {payer.key}"}
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=60)) as session:
            while not self._leaving:
                one = self._next(door, payer)
                self.asked.append(one)
                await ask(session, one)
                if not one.served:
                    await asyncio.sleep(PAUSE)

    def _next(self, door: str, payer: Payer) -> Asked:
        chance = self._chance
        stream, named = chance.random() < STREAMS, payer.most is None and chance.random() < NAMED
        return Asked(next(self._numbers), payer.name, self.chosen(door), chance.choice(MODELS), stream, named)

    def chosen(self, door: str) -> str:
        """Where a caller asks who is used to a door."""
        return door
