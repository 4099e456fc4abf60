"""Requests of customers, some at a time, and what each was told it cost."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.month.customers import Customer
from tests.month.house import PRICES, House

AT_ONCE = 16
MODELS = tuple(PRICES)
MOST_TOKENS = 20
Way = Callable[[House, "Heard", str, str, str], Awaitable[None]]


@dataclass
class Heard:
    """What requests came to, all together. `costs`: what a complete answer cost, in USD as it was told, by request."""

    served: int = 0
    refused: Counter[tuple[int, str]] = field(default_factory=Counter)
    costs: dict[str, str] = field(default_factory=dict)


async def ask_all(house: House, customers: Sequence[Customer], count: int, chance: Random, heard: Heard) -> None:
    """So many requests of customers by their weight; each until it is answered or refused."""
    askers = chance.choices(customers, [one.weight for one in customers], k=count)
    places = asyncio.Semaphore(AT_ONCE)

    async def ask(way: Way, key: str, model: str, text: str) -> None:
        async with places:
            await way(house, heard, key, model, text)

    ways = (_execute, _chat)
    drawn = [
        (
            chance.choice(ways),
            chance.choice(one.keys),
            chance.choice(MODELS),
            _text(chance.random(), chance.randint(5, MOST_TOKENS)),
        )
        for one in askers
    ]
    await asyncio.gather(*[ask(*each) for each in drawn])


def _text(variant: float, tokens: int) -> str:
    return f"write a queue, variant {variant} [[sandbox output_tokens={tokens}]]"


async def _execute(house: House, heard: Heard, key: str, model: str, text: str) -> None:
    body = {"task_type": "code_generation", "prompt": text, "model": model, "context": {"max_tokens": MOST_TOKENS}}
    answer = await house.ask(key, "POST", "/v1/execute", body)
    told = answer.json()
    if answer.status_code == 200:
        metadata = told["result"]["metadata"]
        heard.served += 1
        heard.costs[metadata["request_id"]] = str(metadata["cost_usd"])
    else:
        _refused(heard, answer.status_code, str(told.get("error_code")))


async def _chat(house: House, heard: Heard, key: str, model: str, text: str) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": MOST_TOKENS}
    answer = await house.ask(key, "POST", "/v1/chat/completions", body)
    if answer.status_code == 200:
        heard.served += 1
    else:
        error: Any = answer.json().get("error", {})
        _refused(heard, answer.status_code, str(error.get("code")))


def _refused(heard: Heard, status: int, code: str) -> None:
    heard.refused[status, code] += 1
