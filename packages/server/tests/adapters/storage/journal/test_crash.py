"""Killed at any moment, adopted by the next: what was told as durable is there, once, and only that is open."""

import asyncio
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory
from packages.server.tests.adapters.storage.journal.conftest import SMALL
from packages.server.tests.contract.booking import StillClock

WORKER = """
import asyncio, sys
from pathlib import Path
from msgspec.structs import replace
from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory, Options
from packages.server.tests.adapters.storage.journal.records import intent, served
from packages.server.tests.contract.booking import StillClock, hold_request, settlement

def tell(*words):
    sys.stdout.write(" ".join(words) + "\\n")
    sys.stdout.flush()

async def client(journal, round, name):
    number = 0
    while True:
        number += 1
        asked = hold_request(request_id=f"req_{round}x{name}x{number}")
        written = journal.intend(intent(asked))
        if written.is_kept or number % 3:
            if not written.is_kept:
                await written.durable()
            tell("open", asked.request_id)
        if number % 4:  # the others are answered whole
            for price in range(1, 4):
                written = journal.note(asked.request_id, settlement(asked, price=price))
            if number % 2:
                await written.durable()
                tell("draft", asked.request_id)
        else:
            await asyncio.sleep(0.001)
        await journal.resolve(served(asked)).durable()
        tell("ended", asked.request_id)
        if number % 7 == 0:
            mine = [(at, e) for at, e in await journal.endings(0, 16) if f"x{name}x" in e.hold.request_id]
            for at, ending in mine:
                tell("forgetting", ending.hold.request_id)
            await journal.forget([at for at, _ in mine]).durable()

async def main(directory, round, slots):
    options = Options(reserve_bytes=64 * 1024, slots=int(slots))
    journal = await JournalDirectory(directory, clock=StillClock(), options=options).open(f"instance-{round}")
    await asyncio.gather(*[client(journal, round, name) for name in range(32)])

asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
"""


@pytest.mark.system
@pytest.mark.parametrize("slots", [4_096, 8, 0])
async def test_what_was_told_as_durable_is_adopted_once(tmp_path: Path, slots: int) -> None:
    told: dict[str, set[str]] = {"open": set(), "draft": set(), "ended": set(), "forgetting": set()}
    for number in range(3):
        for line in await asyncio.to_thread(work_and_die, tmp_path, number, 300 + 90 * number, slots):
            word, request = line.split()
            told[word].add(request)
    assert len(told["ended"]) > 200

    journals = await JournalDirectory(tmp_path, clock=StillClock(), options=SMALL).adopt()
    assert [journal.instance for journal in journals] == ["instance-0", "instance-1", "instance-2"]
    ended: Counter[str] = Counter()
    drafts: dict[str, int | None] = {}
    for journal in journals:
        endings = await journal.endings(0, 1_000_000)
        ended.update(ending.hold.request_id for _, ending in endings)
        for intent in await journal.left_open():
            drafts[intent.hold.request_id] = getattr(intent.draft, "price", None)
        journal.forget([at for at, _ in endings])
    assert max(ended.values()) == 1
    assert not ended.keys() & drafts.keys()
    assert told["ended"] - told["forgetting"] <= ended.keys()
    assert told["open"] - told["forgetting"] <= ended.keys() | drafts.keys()
    assert {request for request in told["draft"] & drafts.keys() if drafts[request] != 3} == set()
    for journal in journals:
        await journal.close()


def work_and_die(directory: Path, number: int, lines: int, slots: int) -> list[str]:
    """Run the worker until it has told so much, kill it, and return every line it wrote whole."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", WORKER, str(directory), str(number), str(slots)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    seen = [process.stdout.readline() for _ in range(lines)]
    time.sleep(0.003 * number)
    process.send_signal(signal.SIGKILL)
    seen += process.stdout.readlines()
    process.stdout.close()
    assert process.wait(10) == -signal.SIGKILL
    return [line for line in seen if line.endswith("\n")]
