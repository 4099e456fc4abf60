"""What a request says of the weights of quality, cost and latency: in the native body, or anywhere by a header."""

from msgspec.structs import replace

from monkey_coder_protocol.execute import ExecuteRequest, RoutingWeights
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.weights import Weights, weights_of

HEADER = "x-mk-weights"
"""What it is called on the wire, in lower case."""
NAMED = "The header `X-MK-Weights`"
NAMES = ("quality", "cost", "latency")
LONGEST = 200
"""Characters of a header."""


def with_header(sent: ExecuteRequest, header: str | None) -> ExecuteRequest:
    """The task as if its body said what the header does; what it says itself counts more. Raises `InvalidRequest`."""
    if header is None:
        return sent
    said = _read(header)
    _weights(NAMED, said)
    return sent if sent.weights is not None else replace(sent, weights=said)


def weights_in(sent: ExecuteRequest) -> Weights | None:
    """What a task asks for, None for nothing. Raises `InvalidRequest`."""
    return None if sent.weights is None else _weights("The field `weights`", sent.weights)


def header_weights(header: str | None) -> Weights | None:
    """What a header asks for, None for nothing. Raises `InvalidRequest`."""
    return None if header is None else _weights(NAMED, _read(header))


def _weights(where: str, said: RoutingWeights) -> Weights:
    return weights_of(where, quality=said.quality, cost=said.cost, latency=said.latency)


def _read(header: str) -> RoutingWeights:
    """`quality=1,cost=0.3,latency=0`, in any order, none twice."""
    said: dict[str, float] = {}
    for piece in header[: LONGEST + 1].split(","):
        name, equals, number = (part.strip() for part in piece.partition("="))
        try:
            value = float(number)
        except ValueError:
            equals = ""
        if not equals or name not in NAMES or name in said or len(header) > LONGEST:
            message = f"{NAMED} must be like quality=1,cost=0.3,latency=0; {header[:LONGEST]!r} was sent."
            raise InvalidRequest(message)
        said[name] = value
    return RoutingWeights(**said)
