"""An answer is written to the disk and into the books only where somebody can ask for it again."""

from monkey_coder_server.ports.ledger import Charge, IdempotencyKey
from packages.server.tests.adapters.leasing.quiet import ask, run
from packages.server.tests.adapters.leasing.simulated import Process, World
from packages.server.tests.contract.booking import settlement


def test_an_answer_is_kept_under_an_idempotency_key_alone() -> None:
    rendered: list[Charge] = []

    def answer(charge: Charge) -> bytes:
        rendered.append(charge)
        return b"answer"

    async def scene(world: World) -> None:
        process = Process(world)
        await process.ledger.start()
        for key in (None, IdempotencyKey("key:again", b"same")):
            request = await ask(process, idempotency=key)
            settled = settlement(request, price=60, provider_cost=0)
            await process.ledger.settle(settled, remember=answer)
        await process.ledger.close()

    world = run(scene)
    assert len(rendered) == 2, "both callers were answered"
    assert [held.result for held in world.bank.requests.values()] == [None, b"answer"]
