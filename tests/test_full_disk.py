"""A gateway whose disk fills up under running streams: they end and are paid for, new requests wait for room."""

import asyncio
import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from packages.server.tests.adapters.storage.journal.disks import Disk, ScriptedDisk, mounted
from tests.kills.audit import audit
from tests.kills.clients import COMPLETE, REFUSED, Callers
from tests.kills.gateway import Life, Stage, stage

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

SIZE = 96 * 1024 * 1024
STREAMS = 60
SLOW = "output_tokens=200 tokens_per_second=40 first_token_ms=40"
"""Answers of five seconds."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A gateway on a small disk."""

    where: Stage
    disk: Disk
    launcher: tuple[str, ...] = ()


@pytest.fixture(params=["scripted", "mounted"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """The scripted disk, which runs everywhere, refuses the journal alone; a mounted one is full for the books too."""
    with contextlib.ExitStack() as opened:
        disk: Disk = ScriptedDisk(tmp_path, SIZE)
        launcher = ("tests.small_disk", str(SIZE))
        if request.param == "mounted":
            try:
                disk, launcher = opened.enter_context(mounted(tmp_path, size=SIZE)), ()
            except PermissionError:
                pytest.skip("mounting is not allowed here; the same was tried on a scripted disk")
        yield Scene(opened.enter_context(stage(tmp_path)), disk, launcher)


def test_running_streams_end_on_a_full_disk_and_new_requests_wait_for_room(scene: Scene) -> None:
    callers = asyncio.run(live(scene))
    findings = audit(scene.where, callers.heard)
    assert findings.wrong == {}
    verdict = scene.where.admin("ledger", "verify")
    assert verdict["sound"], verdict["details"]


async def live(scene: Scene) -> Callers:
    where = scene.where
    callers = Callers(where.base_url, where.key, seed=1, steering=SLOW)
    with Life(where, *scene.launcher) as life:
        assert await life.ready()
        streams = asyncio.create_task(callers.ask_once(STREAMS))
        await until(lambda: sum(one.begun for one in callers.heard) == STREAMS)
        await asyncio.to_thread(scene.disk.fill)
        await until(lambda: not ready(where))
        (refused,) = await callers.ask_once(1)
        assert (refused.ended, refused.error) == (REFUSED, "unavailable")
        assert {one.ended for one in await streams} == {COMPLETE}
        scene.disk.clear()
        await until(lambda: ready(where))
        (served,) = await callers.ask_once(1)
        assert served.ended == COMPLETE
    return callers


def ready(where: Stage) -> bool:
    try:
        with urllib.request.urlopen(f"{where.base_url}/health/ready", timeout=5) as reply:  # noqa: S310 - loopback
            json.load(reply)
            return True
    except urllib.error.HTTPError as refused:
        refused.close()
        return False


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(what):  # noqa: ASYNC110 - a disk tells nobody
            await asyncio.sleep(0.05)
