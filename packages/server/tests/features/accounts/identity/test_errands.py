"""Work that nobody waits for."""

import asyncio

import pytest

from monkey_coder_server.features.accounts.identity import Errands
from monkey_coder_server.features.accounts.identity import errands as module


class Done(list[int]):
    """Notes which errands ran."""

    def errand(self, number: int) -> module.Errand:
        async def run() -> None:
            await asyncio.sleep(0)
            self.append(number)

        return run


async def failing() -> None:
    message = "ada@example.org has no luck"
    raise RuntimeError(message)


async def test_errands_run_one_after_the_other_and_the_last_before_the_end(caplog: pytest.LogCaptureFixture) -> None:
    done, errands = Done(), Errands()
    await errands.start()
    errands.take(done.errand(1))
    errands.take(failing)
    errands.take(done.errand(2))
    await errands.settle()
    errands.take(done.errand(3))
    await errands.stop()
    assert done == [1, 2, 3]
    assert "RuntimeError" in caplog.text
    assert "ada@" not in caplog.text


async def test_beyond_its_room_it_drops(caplog: pytest.LogCaptureFixture) -> None:
    done, errands = Done(), Errands(room=2)
    for number in range(4):
        errands.take(done.errand(number))
    await errands.start()
    await errands.stop()
    assert done == [0, 1]
    assert caplog.text.count("too many") == 2


async def test_the_end_does_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.05)
    errands = Errands()
    await errands.start()
    errands.take(asyncio.Event().wait)  # type: ignore[arg-type] # it never ends
    await errands.stop()
    assert "not written" in caplog.text


async def test_what_never_began_ends_at_once() -> None:
    await Errands().stop()
