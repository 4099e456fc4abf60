"""A finished request is let go of at once: nothing of it waits for the garbage collector, which would stop them all."""

import pytest

from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.garbage import garbage_of


@pytest.mark.parametrize("stream", [False, True])
async def test_a_request_leaves_no_garbage(stream: bool) -> None:
    gateway = Gateway()
    await served(gateway, stream=stream)
    with garbage_of("monkey_coder") as left:
        await served(gateway, stream=stream)
    assert left == []


async def served(gateway: Gateway, *, stream: bool) -> None:
    gateway.wire.play("openai", wires.openai_stream() if stream else wires.openai())
    ask = gateway.stream if stream else gateway.ask
    answer = await ask(model="openai/gpt-big")
    assert answer.status == 200
    await gateway.settle_down()
