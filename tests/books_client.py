"""Sends requests at once as many clients would, hangs up where it is told to, and notes what each was answered."""

import asyncio
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp

from tests.books_traffic import Ask

AT_ONCE = 40
LONGEST_LINE = 4 * 1024 * 1024
"""Bytes of an event at most."""
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
COMPLETED, FAILED, LEFT, BROKEN = "completed", "failed", "left", "broken"


@dataclass(frozen=True, slots=True)
class Told:
    """What one sending came to. `body` is the whole answer, or what the stream's last event held."""

    ask: Ask
    outcome: str
    status: int
    request_id: str
    body: Mapping[str, Any] = field(repr=False)
    error_code: str = ""
    replayed: bool = False
    cost: str = ""
    """`x-monkey-cost`."""

    @property
    def metadata(self) -> Mapping[str, Any]:
        """`result.metadata` of a completed answer; in a foreign dialect what its headers and usage say."""
        if self.ask.path:
            return {"request_id": self.request_id, "cost_usd": self.cost}
        found: Mapping[str, Any] = self.body["result"]["metadata"]
        return found


async def send_all(base_url: str, keys: Mapping[str, str], asks: list[Ask]) -> list[Told]:
    """Send everything, `AT_ONCE` at a time, in order."""
    waiting = iter(asks)
    told: list[Told] = []
    connector = aiohttp.TCPConnector(limit=0)
    limit = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(connector=connector, timeout=limit, read_bufsize=LONGEST_LINE) as session:

        async def work() -> None:
            for ask in waiting:
                told.append(await _send(session, base_url, keys[ask.payer], ask))
                if ask.repeats:
                    told.append(await _send(session, base_url, keys[ask.payer], ask))

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return told


async def _send(session: aiohttp.ClientSession, base_url: str, key: str, ask: Ask) -> Told:
    path = ask.path or ("/v1/execute/stream" if ask.stream else "/v1/execute")
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = session.post(base_url + path, data=io.BytesIO(json.dumps(ask.body).encode()), headers=headers)
    if ask.leave is not None and (not ask.stream or ask.leave == 0):
        return await _abandoned(request, ask)
    async with request as response:
        return await (_streamed(response, ask) if ask.stream and response.status == 200 else _whole(response, ask))


async def _abandoned(request: Any, ask: Ask) -> Told:
    """Hang up after so many seconds, unless the answer was there before."""
    try:
        async with asyncio.timeout(ask.leave or 0.01), request as response:
            return await (_streamed(response, ask) if ask.stream and response.status == 200 else _whole(response, ask))
    except TimeoutError:
        return Told(ask, LEFT, 0, "", {})


async def _whole(response: aiohttp.ClientResponse, ask: Ask) -> Told:
    body = json.loads(await response.read())
    outcome = COMPLETED if response.status == 200 else FAILED
    return _told(response, ask, outcome, body, body.get("error_code", ""))


async def _streamed(response: aiohttp.ClientResponse, ask: Ask) -> Told:
    """Read events to the end; hang up after `leave` of them."""
    reads = 0
    async for line in response.content:
        if not line.startswith(b"data: "):
            continue
        reads += 1
        event = json.loads(line[6:], parse_float=str)
        if event["type"] in _ENDS:
            return _ended(response, ask, event["response"])
        if event["type"] == "complete":
            return _told(response, ask, COMPLETED, event["data"])
        if event["type"] == "error":
            said = event.get("error") or event
            return _told(response, ask, FAILED, said, said.get("code", ""))
        if ask.leave is not None and reads >= ask.leave:
            response.close()
            return _told(response, ask, LEFT, {})
    return _told(response, ask, BROKEN, {})


def _ended(response: aiohttp.ClientResponse, ask: Ask, answer: Mapping[str, Any]) -> Told:
    """A stream of responses that came to its end; one that was merely cut costs nothing."""
    cost = str((answer.get("usage") or {}).get("cost", ""))
    outcome = FAILED if answer["status"] == "failed" or not float(cost or 0) else COMPLETED
    return replace(_told(response, ask, outcome, answer), cost=cost)


def _told(
    response: aiohttp.ClientResponse, ask: Ask, outcome: str, body: Mapping[str, Any], error_code: str = ""
) -> Told:
    headers = response.headers
    replayed = headers.get("idempotent-replayed") == "true"
    cost = headers.get("x-monkey-cost", "")
    return Told(ask, outcome, response.status, headers.get("x-request-id", ""), body, error_code, replayed, cost)
