"""Answers that are kept for requests that ask the same again."""

from typing import Protocol

from monkey_coder_server.ports.record import Record


class CacheKey(Record, frozen=True):
    """Whose answer, and to what: `digest` is the full keyed hash (32 bytes) of all it hangs on, the tenant included."""

    tenant: str
    digest: bytes


class CacheBounds(Record, frozen=True):
    """How many bytes one entry may take, those of one tenant together, and all of them."""

    entry: int
    tenant: int
    total: int


class CacheFigures(Record, frozen=True):
    """`bytes` and `entries` as they are now; how many entries made room (`evicted`) or were too large (`refused`).

    `failed` counts calls of a shared cache that came to nothing.
    """

    bytes: int = 0
    entries: int = 0
    evicted: int = 0
    refused: int = 0
    failed: int = 0


class Cache(Protocol):
    """Bytes by key, bounded for each entry, for each tenant and in all; what was kept first makes room.

    A cache that is away finds nothing and keeps nothing; nobody is told, and nobody waits for it.
    """

    async def get(self, key: CacheKey) -> bytes | None:
        """What is kept under the key; None when there is nothing, or nothing any more."""

    async def put(self, key: CacheKey, value: bytes, *, seconds: int) -> bool:
        """Keep it for so long, in place of what was kept; whether it is kept."""

    def figures(self) -> CacheFigures:
        """What this process knows of it."""
