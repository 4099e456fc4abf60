"""Clients that ask as often as they are let, over HTTP."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp

from monkey_coder_server.domain.rates import Measure
from tests.rates.trials import MODELS

PATIENCE = (0.5, 1.5)
"""Seconds after which a refused client comes back at the earliest and at the latest, if it is not told to sooner."""
SIZES = (100, 4_000)
"""Tokens that an answer may have. A thousand more are reserved for what a provider may add to a short prompt."""
LONGEST_WAIT = 60
FIGURES = ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was got: by whom the gateway and the provider know it, and the tokens it says it took."""

    request_id: str
    answer_id: str
    tokens: int


@dataclass(slots=True)
class Told:
    """What the clients of one limit were told. `wrong` are answers that are neither a whole one nor a right refusal.

    `turned_away` were those a machine with too much to do had no time for: 503, whatever the limits.
    """

    answers: list[Answer] = field(default_factory=list)
    refused: int = 0
    turned_away: int = 0
    wrong: Counter[str] = field(default_factory=Counter)

    def granted(self, measure: Measure) -> int:
        """All that was granted."""
        return sum(one.tokens for one in self.answers) if measure is Measure.TOKENS else len(self.answers)


async def ask_all(
    doors: Sequence[str], keys: Mapping[Measure, str], clients: int, told: Mapping[Measure, Told], over: asyncio.Event
) -> None:
    """Spread so many clients over limits and doors; they ask until it is over, and wait for their answers."""
    measures = list(keys)
    timeout = aiohttp.ClientTimeout(total=120)
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session,
        asyncio.TaskGroup() as group,
    ):
        for number in range(clients):
            measure = measures[number % len(measures)]
            url = f"{doors[number // len(measures) % len(doors)]}/v1/chat/completions"
            client = _Client(session, url, keys[measure], measure, Random(number))
            group.create_task(client.ask(told[measure], over))


class _Client:
    def __init__(self, session: aiohttp.ClientSession, url: str, key: str, measure: Measure, random: Random) -> None:
        self._session, self._url, self._measure, self._random = session, url, measure, random
        self._headers = {"authorization": f"Bearer {key}"}

    async def ask(self, told: Told, over: asyncio.Event) -> None:
        while not over.is_set():
            async with self._session.post(self._url, json=self._body(), headers=self._headers) as response:
                status, headers, body = response.status, response.headers, await response.read()
            if status in {200, 429}:
                told.wrong.update(_wrong_figures(headers))
            if status == 200:
                said = json.loads(body)
                told.answers.append(Answer(headers["x-request-id"], said["id"], said["usage"]["total_tokens"]))
                continue
            wrong = _wrong_refusal(headers) if status in {429, 503} else repr(body[:200])
            if wrong:
                told.wrong[f"{status} {wrong}"] += 1
            told.refused += status == 429
            told.turned_away += status == 503
            wait = min(self._random.uniform(*PATIENCE), int(headers.get("retry-after", LONGEST_WAIT)))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await over.wait()

    def _body(self) -> Mapping[str, Any]:
        """What counts tokens is let ask for more than it gets; what counts places stays for a while."""
        random, most = self._random, 10
        steering = "output_tokens=5"
        if self._measure is Measure.TOKENS:
            most = random.randint(*SIZES)
            steering = f"output_tokens={most * 3 // 4}"
        elif self._measure is Measure.CONCURRENCY:
            steering += f" first_token_ms={random.randint(1_500, 3_000)}"
        prompt = f"variant {random.random()} [[sandbox {steering}]]"
        return {
            "model": MODELS[self._measure],
            "messages": [{"role": "user", "content": prompt}],
            "max_completion_tokens": most,
        }


def _wrong_refusal(headers: Mapping[str, str]) -> str:
    """What is wrong with what a refusal says of the wait."""
    wait = headers.get("retry-after", "")
    return "" if wait.isdecimal() and 1 <= int(wait) <= LONGEST_WAIT else f"with Retry-After {wait!r}"


def _wrong_figures(headers: Mapping[str, str]) -> list[str]:
    """What is wrong with the figures of what is left."""
    limit, left, reset = (headers.get(name, "") for name in FIGURES)
    right = limit.isdecimal() and left.isdecimal() and int(left) <= int(limit) and reset.endswith("s")
    return [] if right else [f"left {left!r} of {limit!r}, new in {reset!r}"]
