"""A process that stops in order gives everything back, except what others could spend before it is paid for."""

from packages.server.tests.adapters.leasing.quiet import ACCOUNT, SilentBooks, ask, run, serve, serve_some
from packages.server.tests.adapters.leasing.simulated import Process, World


def test_all_leases_are_given_back() -> None:
    async def scene(world: World) -> None:
        process = Process(world)
        await process.ledger.start()
        await serve_some(process, 3)
        assert process.ledger.figures()["leases"] == 1
        await process.ledger.close()

    world = run(scene)
    assert world.bank.leases
    assert (world.bank.wallet(ACCOUNT).balance, world.bank.wallet(ACCOUNT).held) == (820, 0)
    assert not world.disks


def test_a_request_that_still_runs_keeps_what_it_holds_until_the_next_process_ends_it() -> None:
    async def scene(world: World) -> None:
        process, heir = Process(world), Process(world)
        await process.ledger.start()
        await serve_some(process, 2)
        await ask(process, 70)
        await process.ledger.close()
        assert world.bank.wallet(ACCOUNT).held == 70
        await heir.ledger.start()
        await heir.ledger.close()

    world = run(scene)
    assert (world.bank.wallet(ACCOUNT).balance, world.bank.wallet(ACCOUNT).held) == (880, 0)


def test_what_the_books_did_not_take_before_it_stopped_stays_held_until_it_is_paid() -> None:
    """The house lost here: the leases went back although their charges were still on the disk."""

    async def scene(world: World) -> None:
        process, other = Process(world, SilentBooks), Process(world)
        await process.ledger.start()
        first, second = await ask(process), await ask(process)
        for request in (first, second):
            await serve(process, request, 90)
        await process.ledger.close()
        free = world.bank.wallet(ACCOUNT).available
        await other.ledger.start()
        await serve(other, await ask(other, free), free)
        await other.ledger.close()

    world = run(scene)
    assert not world.bank.losses
    assert [held.charged for held in world.bank.requests.values()][:2] == [90, 90]
