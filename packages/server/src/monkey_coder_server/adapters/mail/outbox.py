"""Mail that waits to be sent: a bounded queue, a few messages at a time, a few tries each."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from monkey_coder_server.adapters.mail.delivery import Delivery, Undeliverable
from monkey_coder_server.ports.mailer import Mail

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OutboxOptions:
    """`room` messages wait at most; `at_once` are being sent; `pauses` in seconds come before further tries.

    `close_seconds` is how long the end waits for what is still there.
    """

    room: int = 1_000
    at_once: int = 4
    pauses: tuple[float, ...] = (1.0, 5.0, 30.0, 120.0)
    close_seconds: float = 10.0


@dataclass(slots=True)
class OutboxFigures:
    """Counts since the start."""

    sent: int = 0
    failed: int = 0
    dropped: int = 0


class Outbox:
    """`ports.mailer.Mailer`. What it logs names no address."""

    def __init__(self, delivery: Delivery, *, new_id: Callable[[], str], options: OutboxOptions | None = None) -> None:
        self._delivery = delivery
        self._new_id = new_id
        self._options = options or OutboxOptions()
        self._waiting: asyncio.Queue[tuple[str, Mail]] = asyncio.Queue(self._options.room)
        self._workers: list[asyncio.Task[None]] = []
        self.figures = OutboxFigures()

    def start(self) -> None:
        """Send until `close`."""
        self._workers = [asyncio.create_task(self._run()) for _ in range(self._options.at_once)]

    def post(self, mail: Mail) -> None:
        """Take a message to be sent soon; when too many wait it is dropped and counted."""
        try:
            self._waiting.put_nowait((self._new_id(), mail))
        except asyncio.QueueFull:
            self.figures.dropped += 1
            logger.error("a mail was dropped: %d wait to be sent already", self._options.room)  # noqa: TRY400 - it is what was to happen

    @property
    def waiting(self) -> int:
        """How many messages nobody has begun to send."""
        return self._waiting.qsize()

    async def close(self) -> None:
        """Send what there is, as long as that goes quickly, and stop."""
        try:
            async with asyncio.timeout(self._options.close_seconds):
                await self._waiting.join()
        except TimeoutError:
            logger.error("mails that were still to be sent are lost; %d had not been begun", self.waiting)  # noqa: TRY400 - it is what was to happen
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        await self._delivery.close()

    async def _run(self) -> None:
        while True:
            mail_id, mail = await self._waiting.get()
            try:
                await self._send(mail, mail_id)
            finally:
                self._waiting.task_done()

    async def _send(self, mail: Mail, mail_id: str) -> None:
        for pause in (*self._options.pauses, None):
            try:
                await self._delivery.deliver(mail, mail_id)
            except Undeliverable as refused:
                self.figures.failed += 1
                logger.error("%s will not be delivered: %s", mail_id, refused)  # noqa: TRY400 - nothing of ours is wrong
                return
            except Exception as trouble:  # noqa: BLE001 - a loop's boundary: whatever it is, it is tried again
                if pause is None:
                    self.figures.failed += 1
                    logger.error("%s was tried in vain for the last time: %s", mail_id, type(trouble).__name__)  # noqa: TRY400 - its text may name people
                    return
                logger.warning("%s is tried again in %g s: %s", mail_id, pause, type(trouble).__name__)
                await asyncio.sleep(pause)
            else:
                self.figures.sent += 1
                return
