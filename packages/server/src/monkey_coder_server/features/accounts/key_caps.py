"""The caps of a key as its maker writes them: those on money stand with the key, those on tokens among its limits."""

from collections.abc import Iterable, Mapping

from monkey_coder_protocol.auth import KeyCaps
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.limits import Limit, Period, Unit
from monkey_coder_server.domain.money import parse_usd, usd
from monkey_coder_server.features.accounts.limits import checked_tokens
from monkey_coder_server.ports.accounts import Caps


class WantedCaps(KeyCaps, forbid_unknown_fields=True):
    """The caps of a key to be made. One of another name is refused: passed over, its key would have no cap at all."""


def money_of(wanted: KeyCaps | None) -> Caps:
    """The caps on money. Raises `InvalidRequest`."""
    if wanted is None:
        return Caps()
    return Caps(
        day=_checked_usd("day_usd", wanted.day_usd),
        month=_checked_usd("month_usd", wanted.month_usd),
        total=_checked_usd("total_usd", wanted.total_usd),
    )


def tokens_of(wanted: KeyCaps | None) -> dict[Period, int]:
    """The caps on tokens. Raises `InvalidRequest`."""
    if wanted is None:
        return {}
    given = {Period.DAY: wanted.day_tokens, Period.MONTH: wanted.month_tokens, Period.TOTAL: wanted.total_tokens}
    return {
        period: checked_tokens(tokens, called=f"The field `caps.{period}_tokens`")
        for period, tokens in given.items()
        if tokens is not None
    }


def tokens_among(limits: Iterable[Limit]) -> dict[Period, int]:
    """The caps on tokens among the limits one key holds, without those on one model."""
    return {limit.period: limit.allowed for limit in limits if limit.unit is Unit.TOKENS and not limit.model}


def shown(money: Caps, tokens: Mapping[Period, int]) -> KeyCaps | None:
    """Both for the wire; None when there are none."""
    if money == Caps() and not tokens:
        return None
    return KeyCaps(
        day_usd=_usd(money.day),
        month_usd=_usd(money.month),
        total_usd=_usd(money.total),
        day_tokens=tokens.get(Period.DAY),
        month_tokens=tokens.get(Period.MONTH),
        total_tokens=tokens.get(Period.TOTAL),
    )


def _usd(nano: int | None) -> str | None:
    return None if nano is None else usd(nano)


def _checked_usd(field: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return parse_usd(text)
    except ValueError as wrong:
        message = f"The field `caps.{field}` is not right: {wrong}"
        raise InvalidRequest(message) from wrong
