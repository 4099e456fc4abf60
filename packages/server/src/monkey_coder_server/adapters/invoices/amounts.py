"""Amounts as providers write them, in nano-dollars; never through a float."""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.money import LARGEST_USD, NANO_PER_CENT, NANO_PER_USD

DOLLARS, CENTS = Decimal(NANO_PER_USD), Decimal(NANO_PER_CENT)
TICKS = Decimal("0.1")
"""xAI's `cost_in_usd_ticks`: 1 USD is 10^10 ticks (docs.x.ai, cost tracking)."""


def read(text: object, unit: Decimal, where: str) -> Decimal:
    """An amount in nano-dollars, exact, possibly with a fraction. `unit` is what 1 of it is worth.

    Raises `InvalidRequest` for what is no finite number below what books can hold.
    """
    try:
        amount = Decimal(str(text).strip().removeprefix("$"))
    except InvalidOperation as wrong:
        raise _refused(text, where) from wrong
    if not amount.is_finite() or abs(amount) >= LARGEST_USD:
        raise _refused(text, where)
    return amount * unit


def whole(nano: Decimal) -> int:
    """Whole nano-dollars, the nearest."""
    return int(nano.quantize(Decimal(1), ROUND_HALF_EVEN))


def resolution(amounts: Iterable[Decimal]) -> int:
    """The smallest step in which amounts are written, in nano-dollars: a power of ten, 1 at least and a cent at most.

    Trailing zeros are left out by some and written by others, so the finest amount tells.
    """
    finest = min((_exponent(amount) for amount in amounts if amount), default=0)
    return int(10 ** max(0, min(finest, 7)))


def _exponent(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _refused(text: object, where: str) -> InvalidRequest:
    message = f"{where}: {str(text)[:40]!r} is not an amount of money."
    return InvalidRequest(message)
