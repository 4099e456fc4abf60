"""Money is an integer count of nano-dollars; never a float."""

import re
from functools import lru_cache

from monkey_coder_server.domain.errors import InvalidRequest

NANO_PER_USD = 1_000_000_000
NANO_PER_CENT = 10_000_000
BASIS_POINTS = 10_000
TOKENS_PER_PRICE_UNIT = 1_000_000

LARGEST_USD = 9_000_000_000
"""Just below what a signed 64-bit count of nano-dollars can hold."""
LARGEST_MARKUP_PERCENT = 10_000

_USD = re.compile(r"(?P<sign>-?)(?P<whole>[0-9]{1,12})(?:\.(?P<fraction>[0-9]+))?", re.ASCII)
_PERCENT = re.compile(r"(?P<whole>[0-9]{1,6})(?:\.(?P<fraction>[0-9]{1,2}))?", re.ASCII)


@lru_cache(maxsize=1024)  # a request writes the same few amounts in several places
def usd(nano: int) -> str:
    """Nano-dollars as an exact decimal USD string: no exponent, two to nine decimals."""
    if nano < 0:
        return f"-{usd(-nano)}"
    digits = f"{nano:010d}"
    return f"{digits[:-9]}.{digits[-9:-7]}{digits[-7:].rstrip('0')}"


def parse_usd(text: str, *, negative: bool = False) -> int:
    """A decimal USD string as nano-dollars, exactly; `negative` also admits amounts below zero.

    Raises `ValueError` with a sentence for anything else: signs, exponents, NaN, more than nine decimals.
    """
    match = _USD.fullmatch(text.strip())
    if match is None:
        raise _refused(text, "is not an amount in USD; write it like 12.50.")
    fraction = match["fraction"] or ""
    if len(fraction) > 9:
        raise _refused(text, "has more than nine decimals; the smallest amount is 0.000000001 USD.")
    if int(match["whole"]) >= LARGEST_USD:
        raise _refused(text, f"is too large; amounts must be below {LARGEST_USD} USD.")
    if match["sign"] and not negative:
        raise _refused(text, "is negative; the amount must be zero or more.")
    nano = int(match["whole"]) * NANO_PER_USD + int(fraction.ljust(9, "0"))
    return -nano if match["sign"] else nano


def asked_usd(called: str, text: str | None) -> int | None:
    """An amount a request carries, in nano-dollars; None where it carries none.

    Raises `InvalidRequest`, whose sentence begins with what the amount is called.
    """
    if text is None:
        return None
    try:
        return parse_usd(text)
    except ValueError as wrong:
        message = f"{called} is not right: {wrong}"
        raise InvalidRequest(message) from wrong


def parse_percent(text: str) -> int:
    """A percentage with at most two decimals (`12.5`) as basis points, exactly. Raises `ValueError` with a sentence."""
    match = _PERCENT.fullmatch(text.strip())
    if match is None or int(match["whole"]) > LARGEST_MARKUP_PERCENT:
        raise _refused(
            text, f"is not a percentage; write 0 to {LARGEST_MARKUP_PERCENT} with at most two decimals, like 12.5."
        )
    return int(match["whole"]) * 100 + int((match["fraction"] or "").ljust(2, "0"))


def percent(basis_points: int) -> str:
    """Basis points as a percentage: `15%`, `12.5%`."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%"


def ceil_div(numerator: int, denominator: int) -> int:
    """The quotient rounded up; `denominator` must be positive."""
    return -(-numerator // denominator)


def cents(nano: int) -> tuple[int, int]:
    """Whole cents (rounded towards minus infinity) and the nano-dollars left over, 0 to 9,999,999."""
    return divmod(nano, NANO_PER_CENT)


def _refused(text: str, why: str) -> ValueError:
    """An error that shows the offending text, cut short, and says why."""
    shown = repr(text if len(text) <= 40 else f"{text[:37]}...")
    return ValueError(f"{shown} {why}")
