"""What limits on tokens and on single models leave a request, learnt from their refusals."""

from msgspec.structs import replace

from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.domain.limits import LimitReached, Unit
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.ports.record import Record


class Leeway(Record, frozen=True):
    """At most so many tokens (None for any), and none of the models whose limits have no room for the request."""

    tokens: int | None = None
    without: frozenset[str] = frozenset()

    def admits(self, route: Route) -> bool:
        """Whether the request may come to use this route."""
        return route.name not in self.without and (self.tokens is None or route.most_tokens <= self.tokens)

    def after(self, short: GatewayError, routes: tuple[Route, ...]) -> "Leeway":
        """What is left after a refusal of these routes.

        A model with a limit of its own is left out while there are others; else the request is fitted to its limit.
        """
        if not isinstance(short, LimitReached):
            return self
        limit = short.standing.limit
        if limit.model and any(route.name != limit.model for route in routes):
            return replace(self, without=self.without | {limit.model})
        if limit.unit is Unit.TOKENS:
            left = short.standing.left
            return replace(self, tokens=left if self.tokens is None else min(left, self.tokens))
        return self


ANY = Leeway()
