"""Amounts that cards are charged: whole cents, within bounds."""

from monkey_coder_protocol.buying import Amount
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.money import NANO_PER_CENT, asked_usd, cents, usd
from monkey_coder_server.domain.top_ups import LEAST_CENTS, MOST_CENTS


def whole_cents(field: str, amount: Amount) -> int:
    """An amount in USD as cents. Raises `InvalidRequest` for parts of a cent, and for zero."""
    called = f"The field `{field}`"
    whole, rest = cents(asked_usd(called, str(amount)) or 0)
    if rest:
        message = f"{called} must be in whole cents: cards are charged in no less."
        raise InvalidRequest(message)
    if not whole:
        message = f"{called} must be above 0."
        raise InvalidRequest(message)
    return whole


def bought_cents(field: str, asked: int) -> int:
    """Cents that may be bought at once. Raises `InvalidRequest`."""
    if not LEAST_CENTS <= asked <= MOST_CENTS:
        least, most = LEAST_CENTS // 100, MOST_CENTS // 100
        message = f"The field `{field}` must come to {least} to {most} USD: so much can be bought at once."
        raise InvalidRequest(message)
    return asked


def cents_usd(whole: int) -> str:
    """Cents as a decimal USD string."""
    return usd(whole * NANO_PER_CENT)
