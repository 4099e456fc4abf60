"""The caps of a key as its maker writes them: those on money stand with the key, those on tokens among its limits."""

from collections.abc import Iterable, Mapping

from monkey_coder_protocol.auth import KeyCaps
from monkey_coder_server.domain.limits import Limit, Period, Unit
from monkey_coder_server.domain.money import asked_usd, usd
from monkey_coder_server.features.accounts.limits import checked_tokens
from monkey_coder_server.ports.accounts import Caps


class WantedCaps(KeyCaps, forbid_unknown_fields=True):
    """The caps of a key to be made. One of another name is refused: passed over, its key would have no cap at all."""


def money_of(wanted: KeyCaps | None) -> Caps:
    """The caps on money. Raises `InvalidRequest`."""
    if wanted is None:
        return Caps()
    return Caps(
        day=asked_usd("The field `caps.day_usd`", wanted.day_usd),
        month=asked_usd("The field `caps.month_usd`", wanted.month_usd),
        total=asked_usd("The field `caps.total_usd`", wanted.total_usd),
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
