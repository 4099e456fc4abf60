"""What several gateways share and can do without for a while: a fast store beside the books."""

from collections.abc import Callable, Sequence
from hashlib import sha1
from typing import Any, Protocol


class StoreAway(Exception):
    """The store did not answer in time, refused, or is not asked for the moment because it has not answered before.

    Whether the command took effect is unknown.
    """


class Script:
    """A Lua script the store runs in one step. `digest` is what the store knows it by."""

    __slots__ = ("digest", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.digest = sha1(text.encode(), usedforsecurity=False).hexdigest()


class SharedStore(Protocol):
    """Every call is answered within 20 ms or raises `StoreAway`. Keys and channels are this product's own."""

    @property
    def healthy(self) -> bool:
        """Whether calls are made now."""

    async def script(self, script: Script, keys: Sequence[str], arguments: Sequence[str | bytes | int]) -> Any:
        """Run a script. Answers are integers, bytes, None and lists of them. Raises `StoreAway`."""

    async def get(self, key: str) -> bytes | None:
        """The value of a key. Raises `StoreAway`."""

    async def set(self, key: str, value: bytes, *, seconds: float) -> None:
        """Keep a value so long. Raises `StoreAway`."""

    async def delete(self, *keys: str) -> None:
        """Forget keys. Raises `StoreAway`."""

    async def publish(self, channel: str, message: bytes) -> None:
        """Tell everybody who subscribes now. Raises `StoreAway`."""

    def subscribe(self, channel: str, hear: Callable[[bytes], None], *, gap: Callable[[], None]) -> None:
        """Call `hear` with each message from now on, and `gap` when some may have been missed.

        Neither may raise. `gap` is called at the first subscription too, once messages are heard.
        """
