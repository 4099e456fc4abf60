"""A finished request is let go of at once: nothing of it waits for the garbage collector, which would stop them all."""

import gc

import pytest

from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway


@pytest.mark.parametrize("stream", [False, True])
async def test_a_request_leaves_no_garbage(stream: bool) -> None:
    gateway = Gateway()
    await served(gateway, stream=stream)
    gc.collect()
    gc.freeze()  # What other tests made and something lets go of only now is not this request's.
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await served(gateway, stream=stream)
        gc.collect()
        left = [type(each).__qualname__ for each in gc.garbage if type(each).__module__.startswith("monkey_coder")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.unfreeze()
    assert left == []


async def served(gateway: Gateway, *, stream: bool) -> None:
    gateway.wire.play("openai", wires.openai_stream() if stream else wires.openai())
    ask = gateway.stream if stream else gateway.ask
    answer = await ask(model="openai/gpt-big")
    assert answer.status == 200
    await gateway.settle_down()
