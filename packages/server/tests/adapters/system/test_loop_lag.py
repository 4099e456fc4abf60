"""What holds the event loop up is seen, once."""

import asyncio
import time

from monkey_coder_server.adapters.system.loop_lag import EVERY_SECONDS, LoopLag

HELD_UP = 0.1


async def test_the_loop_is_late_by_what_holds_it_up_until_that_is_read() -> None:
    lag = LoopLag()
    lag.start()
    await asyncio.sleep(EVERY_SECONDS - HELD_UP / 2)
    time.sleep(HELD_UP)  # noqa: ASYNC251 - what must not happen in a loop is what is looked for
    await asyncio.sleep(0.01)
    assert lag.worst() >= HELD_UP / 4
    assert lag.worst() == 0.0
    lag.stop()
