"""A process that cannot hold asks the others for what they do not need, and they give it."""

import asyncio

import pytest

from monkey_coder_server.domain.errors import InsufficientCredit
from packages.server.tests.adapters.leasing.quiet import ACCOUNT, ask, run, serve, serve_some
from packages.server.tests.adapters.leasing.simulated import Process, World


def test_what_another_has_free_is_given_back_before_a_refusal_stands() -> None:
    async def scene(world: World) -> None:
        rich, poor = Process(world), Process(world)
        await asyncio.gather(rich.ledger.start(), poor.ledger.start())
        await serve_some(rich, 2)
        await rich.ledger.booked(ACCOUNT)
        assert world.bank.wallet(ACCOUNT).available < 880
        await serve(poor, await ask(poor, 880), 880)
        assert rich.ledger.figures()["leased"] == 0
        await asyncio.gather(rich.ledger.close(), poor.ledger.close())

    assert run(scene).bank.wallet(ACCOUNT).balance == 0


def test_what_another_needs_is_not_given_back() -> None:
    async def scene(world: World) -> None:
        busy, poor = Process(world), Process(world)
        await asyncio.gather(busy.ledger.start(), poor.ledger.start())
        await serve_some(busy, 2)
        running = await ask(busy)
        with pytest.raises(InsufficientCredit):
            await ask(poor, 781)
        await asyncio.sleep(2.0)
        await serve(poor, await ask(poor, 780), 780)
        await serve(busy, running, 100)
        await asyncio.gather(busy.ledger.close(), poor.ledger.close())

    world = run(scene)
    assert (world.bank.wallet(ACCOUNT).balance, world.bank.wallet(ACCOUNT).held) == (0, 0)
    assert not world.bank.losses
