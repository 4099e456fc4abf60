"""Providers of which it is known how soon they speak as a rule, and places that can be counted."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from monkey_coder_server.features.inference import attempt, hedge
from monkey_coder_server.features.inference.attempt import AttemptSettings
from monkey_coder_server.features.inference.gates import Gates
from monkey_coder_server.features.inference.health import HealthSettings
from monkey_coder_server.ports.ledger import HOUSE, FailedRequest, Settlement
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import CARDS, Answer, Gateway

USUAL_MS = 5.0
LATE = 0.02
"""Seconds after which a second call is made here."""
SLOW, QUICK = 2.0, 0.0
UNHURRIED = HealthSettings(open_after=3, hedge_least=0.25)
"""For tests of calls that are *not* made, which a busy machine must not make late."""
SOON, GAP, AFTER = 0.03, 0.04, 0.2
"""Late, but sooner than the second; so long between its pieces, so that the second is over before it is."""
PLACES = 8
HEALTH = HealthSettings(open_after=3, open_seconds=0.2, hedge_least=LATE)
ATTEMPT = AttemptSettings(pause=0.001, longest_pause=0.2, places=PLACES, line=0)
WHOLE = {"openai": wires.openai, "anthropic": wires.anthropic, "google": wires.gemini}
STREAMED = {"openai": wires.openai_stream, "anthropic": wires.anthropic_stream, "google": wires.gemini_stream}
PATHS = ["/v1/execute", "/v1/execute/stream"]
SAID = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 400}
TURN = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
DOORS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/execute", {}),
    ("/v1/execute/stream", {}),
    ("/v1/chat/completions", {**SAID, "model": "auto"}),
    ("/v1/chat/completions", {**SAID, "model": "auto", "stream": True}),
    ("/v1/messages", {**SAID, "model": "auto"}),
    ("/v1/messages", {**SAID, "model": "auto", "stream": True}),
    ("/v1/responses", {"model": "auto", "input": "hi"}),
    ("/v1/responses", {"model": "auto", "input": "hi", "stream": True}),
    ("/v1beta/models/auto:generateContent", TURN),
    ("/v1beta/models/auto:streamGenerateContent", TURN),
]
HEDGE = {"collapse_strategy": "hedge"}
ALL_GATES: list[Gates] = []


@contextlib.contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Gateways whose places can be counted, and whose beaten calls are not waited for long."""

    def made(places: int, line: int) -> Gates:
        ALL_GATES.append(Gates(places, line))
        return ALL_GATES[-1]

    monkeypatch.setattr(attempt, "Gates", made)
    monkeypatch.setattr(hedge, "A_LITTLE", 0.01)
    yield
    ALL_GATES.clear()


def streams(path: str, fields: dict[str, Any]) -> bool:
    return bool(fields.get("stream")) or "tream" in path


def played(gateway: Gateway, provider: str, *, stream: bool, **how: Any) -> None:
    made = (STREAMED if stream else WHOLE)[provider]()
    gateway.wire.play(provider, replace(made, **how))


def world(*, stream: bool, delays: dict[str, float] | None = None, **options: Any) -> Gateway:
    """Three providers of which it is known how soon they speak as a rule; `delays` in seconds."""
    gateway = Gateway(**{"health": HEALTH, "attempt": ATTEMPT, **options})
    for provider in WHOLE:
        played(gateway, provider, stream=stream, delay=(delays or {}).get(provider, QUICK))
    for name in CARDS:
        for _ in range(20):
            gateway.health.heard(name, 0, USUAL_MS, 0.0)
            gateway.health.answered_whole(name, USUAL_MS)
    return gateway


def outrun(gateway: Gateway, first: str, *, stream: bool) -> None:
    """Let the first be late and speak before the second all the same."""
    for provider in WHOLE:
        played(gateway, provider, stream=stream, delay=SOON if provider == first else AFTER)
    if stream:
        played(gateway, first, stream=stream, delay=SOON, gap=GAP)


async def first_of(gateway: Gateway, path: str, fields: dict[str, Any], **options: Any) -> str:
    """The provider that is asked first."""
    await asked(gateway, path, fields, **options)
    await over(gateway)
    provider = gateway.wire.sent[0][0]
    gateway.hedges.started = gateway.hedges.won = 0
    gateway.wire.sent.clear()
    gateway.wire.replies.clear()
    gateway.books.settled.clear()
    gateway.books.voided.clear()
    gateway.books.drafts.clear()
    return provider


async def asked(gateway: Gateway, path: str, fields: dict[str, Any], **options: Any) -> Answer:
    if path.startswith(("/v1/execute", "/v1/quote")):
        return await gateway.ask(path, **{"context": {"max_tokens": 300}, **fields}, **options)
    return await gateway.ask(path, body=json.dumps(fields).encode(), **options)


def settled(gateway: Gateway) -> Settlement:
    [(settlement, _)] = gateway.books.settled.values()
    return settlement


def ended(gateway: Gateway) -> list[Settlement | FailedRequest]:
    """How the caller's own requests ended; what the house saw through is none of them."""
    voided = [each for each in gateway.books.voided.values() if each.account_id != HOUSE]
    return [*(each for each, _ in gateway.books.settled.values()), *voided]


def borne(gateway: Gateway) -> list[FailedRequest]:
    """What the house saw through."""
    return [each for each in gateway.books.voided.values() if each.account_id == HOUSE]


async def over(gateway: Gateway) -> None:
    """Wait until everything has its end, also what the house sees through."""
    async with asyncio.timeout(5.0):
        while gateway.books.open:  # noqa: ASYNC110 - books have no event
            await asyncio.sleep(0.005)


def let_go(gateway: Gateway) -> None:
    """Nothing is held, no place and no connection is taken."""
    assert not gateway.books.open
    assert not gateway.notes.defects
    assert all(reply.closed for reply in gateway.wire.replies)
    for gates in ALL_GATES:
        for provider in WHOLE:
            bulkhead = gates.of(provider).bulkhead
            accounts = [f"acc_{number}" for number in range(PLACES + 1)]
            assert [bulkhead.take(each) for each in accounts] == [True] * PLACES + [False], provider
            for each in accounts[:PLACES]:
                bulkhead.leave(each)
