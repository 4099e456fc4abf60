"""What may still be tried for one request, and what was."""

import msgspec

from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.features.inference.health import THE_KEYS_FAULT
from monkey_coder_server.features.inference.route import Route

WORTH_REPEATING = frozenset(
    {FailureKind.OVERLOADED, FailureKind.SERVER_ERROR, FailureKind.CONNECTION, FailureKind.RATE_LIMIT}
)
"""Kinds after which the same model may answer a moment later, and which bill nothing."""


class Search(msgspec.Struct):
    """`pending` are the routes to try, best first; of `refused` ones a key of this request was refused.

    `called` are providers; `busy` is one that had no place.
    """

    pending: list[Route]
    repeats: dict[str, int] = {}
    refused: set[str] = set()
    called: set[str] = set()
    calls: int = 0
    busy: str | None = None

    def failed(self, route: Route, failure: ProviderFailure) -> None:
        """A route whose failure may be over in a moment is tried again, after the others."""
        if failure.kind in WORTH_REPEATING:
            self.repeats[route.name] = self.repeats.get(route.name, 0) + 1
            if failure.kind in THE_KEYS_FAULT:
                self.refused.add(route.name)
            self.pending.append(route)
