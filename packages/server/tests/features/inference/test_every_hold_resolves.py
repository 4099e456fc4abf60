"""Random traffic: successes, errors, cuts, hang-ups, timeouts. At the end no hold is open and the books add up."""

import asyncio
import contextlib
import random
from collections.abc import Callable

import pytest

from monkey_coder_server.domain.errors import FailureKind, Unavailable
from monkey_coder_server.features.inference.pipeline import PipelineSettings
from monkey_coder_server.ports.provider import CancelPolicy
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Caller, Gateway
from packages.server.tests.features.inference.world import Reply, Script, Wire

START = 2_000_000_000
WHOLE: dict[str, Callable[[], Script]] = {
    "openai": wires.openai,
    "anthropic": wires.anthropic,
    "google": wires.gemini,
}
STREAMED: dict[str, Callable[[], Script]] = {
    "openai": wires.openai_stream,
    "anthropic": wires.anthropic_stream,
    "google": wires.gemini_stream,
}


class Weather(Wire):
    """An upstream on which anything may happen at any call."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__()
        self.dice = dice

    async def send(self, provider: str, base_url: str, request: object, deadlines: object) -> Reply:
        body = getattr(request, "body", b"")
        streamed = b'"stream":true' in body or "stream" in getattr(request, "path", "")
        self.scripts[provider].clear()
        self.scripts[provider].append(self._script((STREAMED if streamed else WHOLE)[provider]()))
        return await super().send(provider, base_url, request, deadlines)  # type: ignore[arg-type] - passed on as it came

    def _script(self, good: Script) -> Script:
        good.gap = self.dice.choice([0.0, 0.0, 0.0005])
        some = good.pieces[: self.dice.randrange(len(good.pieces) + 1)]
        bad = [
            wires.error(self.dice.choice([400, 401, 404, 429, 500, 503, 529]), retry_after="0"),
            Script(before=self.dice.choice([FailureKind.CONNECTION, FailureKind.TIMEOUT])),
            Script(pieces=some, fails=FailureKind.CUT_SHORT, gap=good.gap),
            Script(pieces=some),
            Script(pieces=some, hang=True),
            Script(pieces=[b"\x00garbage", *some]),
        ]
        return self.dice.choice([good] * 8 + bad)


@pytest.mark.parametrize("seed", range(8))
async def test_no_hold_stays_open_and_only_served_requests_are_charged(seed: int) -> None:
    dice = random.Random(seed)
    gateway = Gateway(
        balance=START,
        policy=dice.choice(list(CancelPolicy)),
        pipeline=PipelineSettings(drain=0.05, stall=0.05),
    )
    weather = Weather(dice)
    gateway.wire.send = weather.send  # type: ignore[method-assign] - the same wire in other weather
    await asyncio.gather(*(one_request(gateway, dice, number) for number in range(60)))
    await gateway.settle_down()
    books = gateway.books
    assert not books.open
    assert books.held == 0
    assert not set(books.settled) & set(books.voided)
    held = {request for kind, request in books.events if kind == "hold"}
    assert held == set(books.settled) | set(books.voided)
    assert books.balance == START - sum(charge.charged for _, charge in books.settled.values())
    assert all(charge.charged <= settlement.price for settlement, charge in books.settled.values())
    assert all(reply.closed for reply in weather.replies)
    assert not gateway.notes.defects
    assert not gateway.gate.inside
    assert sum(gateway.gate.used) >= sum(settlement.usage.total for settlement, _ in books.settled.values())
    assert len(gateway.notes.records) >= len(held)


async def one_request(gateway: Gateway, dice: random.Random, number: int) -> None:
    """Whole or streamed, patient or not, with or without an id that others use too."""
    await asyncio.sleep(dice.random() * 0.1)
    streamed = dice.random() < 0.6
    caller = Caller(hang_up_after=dice.choice([None, None, 1, 2, 3]) if streamed else None)
    asking = gateway.ask(
        "/v1/execute/stream" if streamed else "/v1/execute",
        caller=caller,
        model=dice.choice(["auto", "auto:cheap", "openai/gpt-big", "google/gemini-big"]),
        prompt=dice.choice(["one", "two"]),
        task_id=dice.choice([None, f"task-{number % 7}"]),
        context={"timeout": 1},
    )
    if dice.random() < 0.1:
        gateway.books.fail.append(Unavailable("a hiccup"))
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asking, dice.choice([None, None, 0.005, 0.02]))
