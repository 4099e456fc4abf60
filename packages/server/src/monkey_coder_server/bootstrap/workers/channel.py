"""What a supervisor and its workers say to each other: one JSON object a line over a socket that both inherit.

The two may be of different releases: a word that is not known is passed over.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any, Self

STOP, LEAVE, HURRY, METRICS = "stop", "leave", "hurry", "metrics"
"""What a worker is told: end and refuse the rest; end, others take the rest; wait no longer; tell your figures."""
READY, REFUSED, FIGURES = "ready", "refused", "figures"
"""What it tells: it serves; its configuration is wrong; its figures as Prometheus reads them."""
LONGEST_LINE = 64 * 1024 * 1024


class Channel:
    """One end. It ends when the other side's process does."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, end: socket.socket) -> Self:
        """Speak over one end of a socket pair."""
        return cls(*await asyncio.open_unix_connection(sock=end, limit=LONGEST_LINE))

    def tell(self, word: str, **more: Any) -> None:
        """Send a word; where nobody listens any more it is lost."""
        if not self._writer.is_closing():
            self._writer.write(json.dumps({"word": word, **more}).encode() + b"\n")

    async def heard(self) -> AsyncIterator[dict[str, Any]]:
        """Each message, until the other side is gone."""
        try:
            while line := await self._reader.readline():
                yield json.loads(line)
        except (ConnectionError, json.JSONDecodeError):  # it died, perhaps in the midst of a line
            return

    async def close(self) -> None:
        """Send what was told, then end."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return
