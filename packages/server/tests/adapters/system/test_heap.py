"""Freed memory goes back to the kernel again and again."""

import asyncio
import os
from pathlib import Path

import pytest

from monkey_coder_server.adapters.system import heap

BLOCK, BLOCKS = 100_000, 640
"""Below the size for which glibc asks the kernel itself."""


def resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(heap.trim_of_libc() is None, reason="the C library has nothing to trim")
def test_memory_freed_between_what_lives_on_is_given_back() -> None:
    trim = heap.trim_of_libc()
    assert trim is not None
    held = [bytearray(BLOCK) for _ in range(BLOCKS)]
    for block in held:
        block[:] = b"x" * BLOCK
    last = held[-1]
    held.clear()
    before = resident()
    trim()
    assert resident() < before - BLOCK * BLOCKS // 2
    assert len(last) == BLOCK


async def test_it_is_given_back_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "EVERY_SECONDS", 0.001)
    trimmed, enough = list[int](), asyncio.Event()

    def trim() -> None:
        trimmed.append(1)
        if len(trimmed) == 3:
            enough.set()

    heap.keep_trimmed(trim)
    await asyncio.wait_for(enough.wait(), 10)


async def test_another_c_library_is_left_alone() -> None:
    heap.keep_trimmed(None)
