"""What was tried for a request, and the answers of it that nobody got."""

import msgspec

from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.stream_events import Answer
from monkey_coder_server.features.inference.exchange import Answering
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.ports.ledger import AttemptRecord
from monkey_coder_server.ports.record import Record


class Waste(Record, frozen=True):
    """An answer nobody gets and the provider bills. `unfinished`: we stopped reading it.

    An answer the provider broke itself is not one: it is taken to bill nothing for it, and invoices are reconciled.
    """

    route: Route
    answer: Answer
    unfinished: bool
    provider_request_id: str | None = None
    request: ModelRequest | None = None
    """What was asked, where that was not the caller's request itself."""


def waste_of(answering: Answering, *, unfinished: bool, request: ModelRequest | None = None) -> Waste:
    """The answer so far as one nobody gets."""
    return Waste(answering.route, answering.answer, unfinished, answering.provider_request_id, request)


class Trail(msgspec.Struct):
    """What was tried for one request."""

    records: list[AttemptRecord] = []
    wasted: list[Waste] = []
    route: Route | None = None
    """The last one tried."""
    request: ModelRequest | None = None
    """What is asked, where that is not the caller's request itself."""

    def take(self, other: "Trail") -> None:
        """Go on where another ended."""
        self.records.extend(other.records)
        self.wasted.extend(other.wasted)
        self.route = other.route or self.route
