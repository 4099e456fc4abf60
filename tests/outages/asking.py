"""One request of a payer, whole or streamed, and what it was told."""

import json
import time
from dataclasses import dataclass
from typing import Any

import aiohttp

STEERING = "output_tokens=30 tokens_per_second=30 first_token_ms=40"
"""Answers of a second."""
MOST_TOKENS = 40
"""What is held for a request is not much more than what it costs: a lease has nothing to spare."""


@dataclass(slots=True)
class Asked:
    """A request of a payer at a gateway, and how it ended. Monotonic seconds.

    `named`: under a `task_id`, which needs the books.
    """

    number: int
    payer: str
    door: str
    model: str
    stream: bool
    named: bool
    began: float = 0.0
    ended: float = 0.0
    request_id: str = ""
    cost_usd: str = ""
    """Of a complete answer."""
    error: str = ""
    """Of any other."""

    @property
    def served(self) -> bool:
        """Whether it got its whole answer."""
        return not self.error


async def ask(session: aiohttp.ClientSession, one: Asked) -> None:
    """Send it and listen to the end."""
    one.began = time.monotonic()
    try:
        async with session.post(f"{one.door}/v1/execute{'/stream' if one.stream else ''}", json=_body(one)) as response:
            whole = await response.read()
        _take(one, response.status, whole)
    except (aiohttp.ClientError, OSError) as broken:
        one.error = type(broken).__name__
    one.ended = time.monotonic()


def _body(one: Asked) -> dict[str, Any]:
    body: dict[str, Any] = {
        "task_type": "code_generation",
        "prompt": f"write a queue, variant {one.number} [[sandbox {STEERING}]]",
        "model": one.model,
        "context": {"max_tokens": MOST_TOKENS},
    }
    return {"task_id": f"task-{one.number}", **body} if one.named else body


def _take(one: Asked, status: int, whole: bytes) -> None:
    """A whole answer, or the last event of a stream."""
    if status != 200:
        one.error = json.loads(whole).get("error_code", str(status))
        return
    said = json.loads(whole.rpartition(b"data: ")[2] if one.stream else whole, parse_float=str)
    if one.stream and said["type"] != "complete":
        one.error = f"stream: {said.get('error', {}).get('code', 'cut')}"
        return
    metadata = (said["data"] if one.stream else said)["result"]["metadata"]
    one.request_id, one.cost_usd = metadata["request_id"], metadata["cost_usd"]
