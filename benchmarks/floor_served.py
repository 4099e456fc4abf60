"""What must happen to a request whatever a gateway makes of it, in steps: `… STEP PORT UPSTREAM FOLDER`.

`relay` listens, calls the provider and passes its answer on, with our listener and our client of providers. `json`
reads the question and the answer, and writes both. `books` also holds, keeps the strict journal, settles, books and
signs a receipt, always for the same usage and price. Nobody's key is looked at; nothing is planned, priced, limited,
explained or learnt.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from benchmarks import books, leased
from benchmarks.served import request, settlement
from monkey_coder_server.adapters.leasing import LeasedLedger
from monkey_coder_server.adapters.listener import Listener, ListenerOptions
from monkey_coder_server.adapters.upstream.client import HttpUpstream
from monkey_coder_server.bootstrap.listening import settle_in
from monkey_coder_server.ports.provider import WireRequest
from monkey_coder_server.ports.upstream import Deadlines

STEPS = ("relay", "json", "books")
PATH = "/v1/chat/completions"
ACCOUNT = "acc_bench"
_HEADERS = {"authorization": "Bearer sk-bench", "content-type": "application/json"}
_DEADLINES = Deadlines()

Answering = Callable[[bytes], Awaitable[bytes]]


class Floor:
    """An ASGI application that answers a POST with what `answering` makes of its body, anything else with nothing."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        told = await self._answering(body) if scope["method"] == "POST" else b"{}"
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(told))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": told})


def answering(step: str, upstream: HttpUpstream, base_url: str, ledger: LeasedLedger | None) -> Answering:
    """What is done with a body in one of `STEPS`."""

    async def relay(body: bytes) -> bytes:
        reply = await upstream.send("openai", base_url, WireRequest(PATH, _HEADERS, body), _DEADLINES)
        return await reply.read()

    async def through_json(body: bytes) -> bytes:
        answer = await relay(msgspec.json.encode(msgspec.json.decode(body)))
        return msgspec.json.encode(msgspec.json.decode(answer))

    async def booked(body: bytes) -> bytes:
        assert ledger is not None
        asked = request(ACCOUNT)
        await ledger.hold(asked)
        answer = await through_json(body)
        await ledger.settle(settlement(asked))
        return answer

    return {"relay": relay, "json": through_json, "books": booked}[step]


@asynccontextmanager
async def _ledger(folder: Path) -> AsyncIterator[LeasedLedger]:
    async with books.opened(f"sqlite:///{folder}/books.db", folder) as storage:
        await books.fund(storage, ACCOUNT)
        async with leased.opened(storage, folder / "journal") as ledger:
            await leased.lease(ledger, [ACCOUNT])
            yield ledger


async def _serve(step: str, port: int, base_url: str, folder: Path) -> None:
    async with AsyncExitStack() as until:
        upstream = HttpUpstream()
        until.push_async_callback(upstream.close)
        ledger = await until.enter_async_context(_ledger(folder)) if step == "books" else None
        listener = Listener(Floor(answering(step, upstream, base_url, ledger)), ListenerOptions("127.0.0.1", port))
        await listener.start()
        until.push_async_callback(listener.stop)
        settle_in()
        await asyncio.Event().wait()


if __name__ == "__main__":
    named, at, provider, kept = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(named, int(at), provider, Path(kept)))
