"""A wire between a host and a server that can be slow or silent: what is between two machines."""

import asyncio
import threading
from contextlib import suppress

CHUNK = 65_536
QUIET_SECONDS = 0.05


class Wire:
    """Passes bytes on to a loopback port, from a port of its own, in a thread of its own.

    `delay`: seconds by which everything the server says comes late. `silent`: nothing arrives and nobody is told, as
    behind a switch that is off; what was said meanwhile arrives when it is on again.
    """

    def __init__(self, to_port: int) -> None:
        self.silent = False
        self.delay = 0.0
        self.port = 0
        self._to_port = to_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)
        self._thread.start()
        self._ready.wait()

    def mend(self) -> None:
        """Be whole again, and as fast as ever."""
        self.silent, self.delay = False, 0.0

    def close(self) -> None:
        """End it, with all that is open."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._ready.set()
        self._loop.run_forever()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)  # transports close their sockets in the loop's next turn

    async def _serve(self, here: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self._writers.add(back)
        with suppress(OSError):
            await self._silence()
            there, on = await asyncio.open_connection("127.0.0.1", self._to_port)
            self._writers.add(on)
            await asyncio.gather(self._pass(here, on, late=False), self._pass(there, back, late=True))
            self._writers.discard(on)
        self._writers.discard(back)
        back.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, late: bool) -> None:
        """One direction, to its end."""
        with suppress(OSError):
            while said := await reader.read(CHUNK):
                if late and self.delay:
                    await asyncio.sleep(self.delay)
                await self._silence()
                writer.write(said)
                await writer.drain()
        writer.close()

    async def _silence(self) -> None:
        while self.silent:  # noqa: ASYNC110 - set from another thread
            await asyncio.sleep(QUIET_SECONDS)
