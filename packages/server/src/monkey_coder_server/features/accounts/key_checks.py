"""What a key may be told to be: each field as it is kept. All raise `InvalidRequest`, saying what it must be."""

from ipaddress import ip_network

from monkey_coder_protocol.execute import COLLAPSE_STRATEGIES, RoutingWeights
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.scopes import EVERYTHING, SCOPES, known_scope
from monkey_coder_server.domain.weights import Weights, weights_of

LONGEST_LIST = 100
LONGEST_NAME = 100


def checked_name(name: str) -> str:
    """A name to tell a key by."""
    chosen = name.strip()
    if not chosen or len(chosen) > LONGEST_NAME or not chosen.isprintable():
        message = f"The field `name` must be 1 to {LONGEST_NAME} printable characters."
        raise InvalidRequest(message)
    return chosen


def checked_scopes(scopes: list[str] | None) -> frozenset[str]:
    """Scopes that exist; all of them where none are named."""
    if scopes is None:
        return frozenset({EVERYTHING})
    if not scopes or not all(known_scope(scope) for scope in scopes):
        message = f"The field `scopes` must list some of {', '.join(sorted(SCOPES))}, or `*`."
        raise InvalidRequest(message)
    return frozenset(scopes)


def checked_list(field: str, values: list[str] | None) -> tuple[str, ...] | None:
    """Names without blanks around them; None for no restriction."""
    if values is None:
        return None
    if not 1 <= len(values) <= LONGEST_LIST or not all(value.strip() for value in values):
        message = f"The field `{field}` must list 1 to {LONGEST_LIST} names, or be left out for no restriction."
        raise InvalidRequest(message)
    return tuple(value.strip() for value in values)


def checked_networks(values: list[str] | None) -> tuple[str, ...] | None:
    """Network addresses and ranges."""
    networks = checked_list("ip_allow", values)
    for network in networks or ():
        try:
            ip_network(network, strict=False)
        except ValueError as wrong:
            raise InvalidRequest("The field `ip_allow` must list addresses or networks like 10.0.0.0/8.") from wrong
    return networks


def checked_collapse(rule: str | None) -> str | None:
    """A rule by which several models make one answer."""
    if rule is not None and rule not in COLLAPSE_STRATEGIES:
        message = f"The field `collapse` must be one of {', '.join(COLLAPSE_STRATEGIES)}, or be left out."
        raise InvalidRequest(message)
    return rule


def checked_weights(wish: RoutingWeights | None) -> Weights | None:
    """What counts for the router."""
    if wish is None:
        return None
    return weights_of("The field `weights`", quality=wish.quality, cost=wish.cost, latency=wish.latency)


def checked_number(field: str, value: int | None, *, most: int) -> int | None:
    """A number from 1 to the most it may be."""
    if value is not None and not 1 <= value <= most:
        message = f"The field `{field}` must be from 1 to {most}."
        raise InvalidRequest(message)
    return value
