"""Waiting for whichever of several things comes first."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first_of(*waits: Coroutine[Any, Any, object], seconds: float | None = None) -> None:
    """Wait for one of these, or for so many seconds; give up the others."""
    tasks = [asyncio.create_task(each) for each in waits]
    await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


async def end_of(future: asyncio.Future[Any]) -> None:
    """Wait for a future's end, whatever it is; giving up the wait leaves it alone."""
    await asyncio.wait([future])
