"""What a journal remembers of its records in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from monkey_coder_server.adapters.storage.journal.batch import Batch
from monkey_coder_server.adapters.storage.journal.encoding import Admitted
from monkey_coder_server.adapters.storage.journal.syncs import Sync
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.ledger import FailedRequest


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may wait for the books before new requests are refused; running ones may end all the same."""

    endings: int = 100_000
    size: int = 128 * 1024 * 1024
    """Bytes of records."""


class OpenRequest(NamedTuple):
    """What is remembered of a request without an ending: the part no draft replaces, and where it is noted.

    It has a slot until something is delivered of it, then a row with a number, which counts from then on.
    """

    admitted: bytes
    number: int | None = None
    slot: int | None = None


class Waiting(NamedTuple):
    """What is remembered of an ending until it is booked. `since` is a monotonic moment in seconds.

    `written` is None for one that was found in the file; `resolved` for one that is to be read from it. One in a `slot`
    has no row, and is remembered whole.
    """

    request_id: str
    size: int
    since: int
    written: Batch | Sync | None = None
    resolved: Resolved | None = None
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds as it is opened."""

    open: Mapping[str, OpenRequest]
    endings: Mapping[int, tuple[str, int]]
    """Request and size by number."""


def unknown_draft(admitted: Admitted) -> FailedRequest:
    """What a request came to whose draft cannot be read: nobody is charged for what nobody knows."""
    hold = admitted.hold
    message = "What was delivered of this request was lost with a damaged record; nothing was charged."
    return FailedRequest(hold.request_id, hold.account_id, hold.key_id, hold.at, "internal", message)
