"""What a dead process left is ended and booked once, whoever comes for it and however often."""

import asyncio

from packages.server.tests.adapters.leasing.quiet import ACCOUNT, DeafBooks, SilentBooks, ask, run, serve
from packages.server.tests.adapters.leasing.simulated import Process, World


async def die(world: World) -> None:
    """A process serves two requests that never reach the books, and dies over a third."""
    process = Process(world, SilentBooks)
    await process.ledger.start()
    for _ in range(2):
        await serve(process, await ask(process))
    await ask(process)
    await asyncio.sleep(0.1)
    process.kill()


def test_two_that_come_at_once_end_it_once() -> None:
    rivals: list[Process] = []

    async def scene(world: World) -> None:
        await die(world)
        rivals.extend(Process(world) for _ in range(2))
        await asyncio.gather(*[each.ledger.start() for each in rivals])
        await asyncio.gather(*[each.ledger.close() for each in rivals])

    world = run(scene)
    assert sum(each.ledger.figures()["recovered"] for each in rivals) == 1
    assert (world.bank.wallet(ACCOUNT).balance, world.bank.wallet(ACCOUNT).held) == (880, 0)
    assert not world.disks


def test_what_the_books_refuse_at_first_is_booked_later() -> None:
    async def scene(world: World) -> None:
        await die(world)
        heir = Process(world)
        world.faults.away = True
        await heir.ledger.start()
        assert not any(held.charged for held in world.bank.requests.values())
        world.faults.away = False
        await asyncio.sleep(60.0)
        assert world.bank.wallet(ACCOUNT).held == 0
        await heir.ledger.close()

    world = run(scene)
    assert world.bank.wallet(ACCOUNT).balance == 880
    assert not world.disks


def test_books_that_never_answer_do_not_keep_an_heir_from_starting() -> None:
    async def scene(world: World) -> None:
        await die(world)
        heir = Process(world, DeafBooks)
        async with asyncio.timeout(60.0):
            await heir.ledger.start()
        await serve(heir, await ask(heir))
        await asyncio.sleep(60.0)
        assert world.bank.wallet(ACCOUNT).held == 0
        await heir.ledger.close()

    world = run(scene)
    assert world.bank.wallet(ACCOUNT).balance == 820
    assert not world.disks


def test_one_that_stops_before_the_books_answer_leaves_it_to_the_next() -> None:
    async def scene(world: World) -> None:
        await die(world)
        first, second = Process(world), Process(world)
        world.faults.away = True
        await first.ledger.start()
        await first.ledger.close()
        world.faults.away = False
        await second.ledger.start()
        await second.ledger.close()

    world = run(scene)
    assert (world.bank.wallet(ACCOUNT).balance, world.bank.wallet(ACCOUNT).held) == (880, 0)
    assert not world.disks


def test_an_ending_whose_booking_was_not_confirmed_is_booked_once() -> None:
    async def scene(world: World) -> None:
        process = Process(world)
        await process.ledger.start()
        request = await ask(process)
        world.faults.after = 1.0
        charge = await serve(process, request)
        await asyncio.sleep(2.0)
        assert process.ledger.figures()["failed_shipments"] > 1
        world.faults.calm()
        assert await serve(process, request) == charge
        await process.ledger.close()

    world = run(scene)
    assert (world.bank.wallet(ACCOUNT).balance, world.bank.wallet(ACCOUNT).held) == (940, 0)
