"""On a full disk no new request is admitted, running ones end from the reserve; with room again all is as before."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monkey_coder_server.adapters.storage.journal import room
from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory, Options
from monkey_coder_server.adapters.storage.journal.journal import SqliteJournal
from monkey_coder_server.domain.errors import Unavailable
from packages.server.tests.adapters.storage.journal.disks import KIB, Disk, mounted, scripted
from packages.server.tests.adapters.storage.journal.records import intent, served
from packages.server.tests.contract.booking import StillClock, hold_request

RESERVE = 512 * KIB


@pytest.fixture(params=["scripted", "mounted"])
def disk(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """The scripted one runs everywhere; the mounted one where mounting is allowed."""
    monkeypatch.setattr(room, "LOOK_SECONDS", 0.02)
    if request.param == "scripted":
        yield scripted(tmp_path, monkeypatch)
        return
    with contextlib.ExitStack() as mounts:
        try:
            there = mounts.enter_context(mounted(tmp_path))
        except PermissionError:
            pytest.skip("mounting is not allowed here; the same was tried on a scripted disk")
        yield there


async def opened(disk: Disk) -> SqliteJournal:
    options = Options(reserve_bytes=RESERVE, slots=0)
    return await JournalDirectory(disk.path / "journal", clock=StillClock(), options=options).open("first")


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not what():  # noqa: ASYNC110 - a disk tells nobody
            await asyncio.sleep(0.01)


async def test_running_requests_end_from_the_reserve_and_new_ones_wait_for_room(disk: Disk) -> None:
    journal = await opened(disk)
    assert journal.open_for_new
    running = [hold_request() for _ in range(200)]
    for asked in running:
        await journal.intend(intent(asked)).durable()
    disk.fill()
    await until(lambda: not journal.open_for_new)
    await asyncio.gather(*[journal.resolve(served(asked)).durable() for asked in running])
    assert len(await journal.endings(0, 1_000)) == len(running)
    disk.clear()
    await until(lambda: journal.open_for_new)
    assert journal.figures()["reserve_whole"] == 1
    journal.forget([number for number, _ in await journal.endings(0, 1_000)])
    await journal.close()


async def test_a_commit_that_finds_no_room_is_tried_again_with_the_reserve_released(disk: Disk) -> None:
    journal = await opened(disk)
    disk.fill()
    ended = 0
    while journal.figures()["reserve_whole"]:
        await journal.resolve(served(hold_request())).durable()
        ended += 1
        assert ended < 10_000
    assert not journal.open_for_new
    assert len(await journal.endings(0, 10_000)) == ended
    await journal.close()


async def test_an_ending_beyond_the_reserve_is_refused_aloud_and_can_be_written_with_room_again(disk: Disk) -> None:
    journal = await opened(disk)
    asked = hold_request()
    journal.intend(intent(asked))
    disk.fill()
    kept: list[str] = []

    async def until_refused() -> None:
        while True:
            other = served(hold_request())
            await journal.resolve(other).durable()
            kept.append(other.hold.request_id)
            disk.fill()

    with pytest.raises(Unavailable):
        await until_refused()
    with pytest.raises(Unavailable):
        await journal.resolve(served(asked)).durable()
    assert not journal.open_for_new
    disk.clear()
    await journal.resolve(served(asked)).durable()
    found = [ending.hold.request_id for _, ending in await journal.endings(0, 10_000)]
    assert found == [*kept, asked.request_id]
    assert await journal.left_open() == []
    await journal.close()


async def test_a_journal_opened_on_a_full_disk_admits_nothing_until_there_is_room(disk: Disk) -> None:
    disk.path.joinpath("journal").mkdir()
    disk.fill()
    os.truncate(disk.ballast, disk.ballast.stat().st_size - 200 * KIB)
    journal = await opened(disk)
    assert not journal.open_for_new
    disk.clear()
    await until(lambda: journal.open_for_new)
    await journal.close()
