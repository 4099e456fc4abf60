"""A call of a contest lets go of its place, even one that was stopped before its first step."""

import asyncio
from typing import Any

from monkey_coder_server.features.inference.bulkhead import Bulkhead
from monkey_coder_server.features.inference.contest import Contender, dismiss
from monkey_coder_server.features.inference.exchange import Answering
from monkey_coder_server.features.inference.gates import Place
from monkey_coder_server.features.inference.keyring import KeyRing
from monkey_coder_server.features.inference.trail import Trail

ROUTE: Any = None
"""Nothing is asked of it here."""


async def never() -> Answering:
    await asyncio.sleep(3600)
    raise AssertionError


async def test_a_call_that_was_stopped_before_its_first_step_gives_its_place_back() -> None:
    bulkhead, ring = Bulkhead(1, 0), KeyRing(["a"])
    taken = ring.take("m", 0.0)
    assert taken is not None
    assert bulkhead.take("acc_one")
    contender = Contender(ROUTE, taken[0], Place(bulkhead, "acc_one", ring, taken[0]), 0.0)
    contender.begin(asyncio.create_task(never()))
    trail = Trail()
    await dismiss([contender], trail)
    assert bulkhead.free_for("acc_one")
    assert not trail.wasted
