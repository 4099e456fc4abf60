"""What the operator's commands about credit and limits do, on the books of the configured gateway."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.bootstrap.supplies import PROVIDERS
from monkey_coder_server.domain.catalog import Catalog, Mode
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.ledger import GrantKind
from monkey_coder_server.domain.limits import Standing, Unit, resets_at
from monkey_coder_server.domain.money import parse_usd, usd
from monkey_coder_server.features.accounts import limits, operator
from monkey_coder_server.ports.ledger import GrantTerms
from monkey_coder_server.settings import Settings


@dataclass(frozen=True, slots=True)
class GrantWish:
    """What `admin grant` was told. No days: it never expires."""

    whose: str
    usd: str
    reason: str
    kind: str
    priority: int
    expires_days: int | None


async def grant(settings: Settings, wish: GrantWish) -> list[str]:
    """Add credit; the line that says so. Raises `GatewayError`."""
    amount = _amount(wish.usd)
    if amount <= 0:
        raise InvalidRequest("The amount to grant must be above 0 USD.")
    async with open_books(settings) as books:
        expires_at = None
        if wish.expires_days is not None:
            expires_at = books.clock.now() + timedelta(days=wish.expires_days)
        terms = GrantTerms(GrantKind(wish.kind), wish.priority, expires_at)
        wallet = await operator.grant(books.accounts, whose=wish.whose, amount=amount, reason=wish.reason, terms=terms)
    until = "" if expires_at is None else f", until {expires_at:%Y-%m-%d %H:%M} UTC"
    return [f"granted {usd(amount)} USD to {wish.whose}{until}; the balance is {usd(wallet.balance)} USD"]


async def list_grants(settings: Settings, whose: str) -> list[str]:
    """An account's grants, a line each, in the order they are spent in."""
    async with open_books(settings) as books:
        found = await operator.list_grants(books.accounts, whose)
    return [
        f"{usd(one.remaining):>14} of {usd(one.amount):>14} USD  {one.kind:8} priority {one.priority:<4} "
        f"{'never expires' if one.expires_at is None else f'until {one.expires_at:%Y-%m-%d %H:%M}':22} {one.grant_id}"
        for one in found
    ]


async def refund(settings: Settings, *, whose: str, undoes: str, amount_usd: str, reason: str) -> list[str]:
    """Give a charge back, or take a grant back; the line that says so. Raises `GatewayError`."""
    amount = _amount(amount_usd)
    async with open_books(settings) as books:
        wallet = await operator.refund(books.accounts, whose=whose, undoes=undoes, amount=amount, reason=reason)
    return [f"refunded {usd(amount)} USD of {undoes}; the balance is {usd(wallet.balance)} USD"]


async def set_limits(settings: Settings, wish: limits.LimitWish) -> list[str]:
    """Set a limit or take it back; a line for each limit the account has after it. Raises `GatewayError`."""
    async with open_books(settings) as books:
        standings = await limits.set_limits(books.accounts, wish)
        at = books.clock.now()
    return [_line(wish.whose, standing, at) for standing in standings] or [f"{wish.whose} has no limits"]


async def list_limits(settings: Settings, whose: str | None) -> list[str]:
    """Every limit, of one account or of all, with what is used of it. Raises `GatewayError`."""
    async with open_books(settings) as books:
        found = await limits.list_limits(books.accounts, whose)
    return [_line(name, standing, datetime.now(UTC)) for name, standing in found] or ["there are no limits"]


def allowance(amount_usd: str | None, tokens: int | None) -> limits.Allowance | None:
    """What a limit allows, from the command line. Raises `InvalidRequest`."""
    if amount_usd is not None:
        return limits.Allowance(Unit.MONEY, _amount(amount_usd))
    if tokens is None:
        return None
    return limits.Allowance(Unit.TOKENS, limits.checked_tokens(tokens))


def model_name(asked: str | None) -> str:
    """The one model a name stands for, as `provider/model`; empty for none. Raises `GatewayError`."""
    if asked is None:
        return ""
    selection = Catalog(card for provider in PROVIDERS for card in provider.offers).resolve(asked, kind=None)
    names = [card.name for card in selection.cards]
    if selection.mode is not Mode.PINNED or len(names) != 1:
        message = f"{asked!r} stands for {len(names)} models; name one of them: {', '.join(names[:8])}."
        raise InvalidRequest(message)
    return names[0]


def _line(whose: str, standing: Standing, at: datetime) -> str:
    """A limit as a line: whose, of what, how much is used, until when."""
    limit, end = standing.limit, resets_at(standing.limit.period, at)
    figures = [_figure(limit.unit, each) for each in (standing.spent, standing.held, limit.allowed, standing.left)]
    holder = (
        limit.holder.kind.value if limit.holder.kind.value == "account" else f"{limit.holder.kind} {limit.holder.id}"
    )
    return (
        f"{whose}  {holder}{f' on {limit.model}' if limit.model else ''} per {limit.period}: {figures[0]} spent and "
        f"{figures[1]} held of {figures[2]} {'USD' if limit.unit is Unit.MONEY else 'tokens'}, {figures[3]} left"
        f"{'' if end is None else f' until {end:%Y-%m-%d %H:%M} UTC'}"
    )


def _figure(unit: Unit, figure: int) -> str:
    return usd(figure) if unit is Unit.MONEY else str(figure)


def _amount(text: str) -> int:
    try:
        return parse_usd(text)
    except ValueError as wrong:
        raise InvalidRequest(str(wrong)) from wrong
