"""What the operator's commands about rates do, on the books of the configured gateway."""

from collections.abc import Mapping

from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.limits import HolderKind
from monkey_coder_server.domain.rates import Measure, RateRule, counted
from monkey_coder_server.features.accounts import rates
from monkey_coder_server.settings import Settings


async def set_rates(settings: Settings, wish: rates.RateWish) -> list[str]:
    """Set rates or take them back; a line for each the account has after it. Raises `GatewayError`."""
    async with open_books(settings) as books:
        rules = await rates.set_rates(books.accounts, wish)
    return [_line(wish.whose, rule) for rule in rules] or [f"{wish.whose} has no rates"]


async def list_rates(settings: Settings, whose: str | None) -> list[str]:
    """Every rate, of one account or of all. Raises `GatewayError`."""
    async with open_books(settings) as books:
        found = await rates.list_rates(books.accounts, whose)
        await books.note("rates.list", "every account" if whose is None else whose)
    return [_line(name, rule) for name, rule in found] or ["there are no rates"]


def allowed(figures: Mapping[str, int | None], *, none: bool) -> dict[Measure, int | None]:
    """What is allowed of each measure that is given a number, or with `none` of all. Raises `InvalidRequest`."""
    given = {Measure(name): figure for name, figure in figures.items() if none or figure is not None}
    if not given:
        raise InvalidRequest("Nothing is set: give --requests, --tokens or --concurrency, or --none.")
    return given


def _line(whose: str, rule: RateRule) -> str:
    """A rate as a line: whose, how much of what."""
    holder = rule.holder.kind if rule.holder.kind is HolderKind.ACCOUNT else f"{rule.holder.kind} {rule.holder.id}"
    return f"{whose}  {holder}{f' on {rule.model}' if rule.model else ''}: {counted(rule.measure, rule.allowed)}"
