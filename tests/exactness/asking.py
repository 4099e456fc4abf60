"""Clients that ask until they are refused."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp

from monkey_coder_server.domain.money import parse_usd
from tests.exactness.cases import FIXED, MODEL, MOST_TOKENS, Case


@dataclass(slots=True)
class Answers:
    """What all clients of a case were told; `cost` in nano-dollars."""

    granted: int = 0
    cost: int = 0
    others: Counter[tuple[int, str]] = field(default_factory=Counter)
    seconds: float = 0.0


async def ask_all(base_urls: Sequence[str], key: str, case: Case, *, seed: int) -> Answers:
    """Spread the clients over the gateways and wait until each was refused."""
    answers, begun = Answers(), time.monotonic()
    connector, headers = aiohttp.TCPConnector(limit=0), {"authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session, asyncio.TaskGroup() as clients:
        for number in range(case.clients):
            url = base_urls[number % len(base_urls)] + "/v1/execute"
            clients.create_task(_ask(session, url, case, Random(seed * 1_000 + number), answers))
    answers.seconds = time.monotonic() - begun
    return answers


async def _ask(session: aiohttp.ClientSession, url: str, case: Case, random: Random, answers: Answers) -> None:
    while True:
        tokens = MOST_TOKENS if case.prices == FIXED else random.randint(1, MOST_TOKENS)
        async with session.post(url, json=_body(tokens, random)) as response:
            body = json.loads(await response.read(), parse_float=str)
        if response.status != 200:
            answers.others[response.status, str(body.get("error_code"))] += 1
            return
        answers.granted += 1
        answers.cost += parse_usd(body["result"]["metadata"]["cost_usd"])


def _body(tokens: int, random: Random) -> dict[str, Any]:
    return {
        "task_type": "code_generation",
        "prompt": f"variant {random.random()} [[sandbox output_tokens={tokens} first_token_ms=30]]",
        "model": MODEL,
        "context": {"max_tokens": MOST_TOKENS},
    }
