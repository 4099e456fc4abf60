"""Records that the death of this process cannot reach, or that need not be written at all."""

from collections.abc import Callable

from monkey_coder_server.adapters.storage.journal.batch import Batch


class Nothing:
    """What needs no writing. Implements `ports.journal.Written`."""

    @property
    def is_kept(self) -> bool:
        """There is nothing to lose."""
        return True

    async def durable(self) -> None:
        """There is nothing to wait for."""


NOTHING = Nothing()


class InSlot:
    """A request that is noted in a slot. Implements `ports.journal.Written`."""

    __slots__ = ("_request_id", "_to_disk")

    def __init__(self, request_id: str, to_disk: Callable[[str], Batch]) -> None:
        self._request_id = request_id
        self._to_disk = to_disk

    @property
    def is_kept(self) -> bool:
        """It is: it has left this process."""
        return True

    async def durable(self) -> None:
        """Wait until a row of it is on disk. Raises `Unavailable`."""
        await self._to_disk(self._request_id).durable()
