"""What each model costs us, what a plan pays for it, and what is left: for the command and for operators over HTTP."""

from monkey_coder_protocol import pricing as wire
from monkey_coder_server.domain.money import BASIS_POINTS, ceil_div
from monkey_coder_server.domain.plans import DEFAULT_PLAN
from monkey_coder_server.domain.price_list import PriceList
from monkey_coder_server.domain.pricing import PriceRow, rate_usd
from monkey_coder_server.features.pricing.dependencies import Dependencies
from monkey_coder_server.features.pricing.names import check_plan, known_provider
from monkey_coder_server.web.operating import Actor


async def prices_of(use: Dependencies, by: Actor, *, plan: str | None, provider: str | None) -> wire.PriceList:
    """What a plan is charged now, of one provider or of all. Raises `InvalidRequest`."""
    await check_plan(use, plan)
    wanted, prices = known_provider(use, provider), use.prices()
    await use.audit.record(by.entry("prices.look", target=prices.book.id, at=use.clock.now()))
    return price_list(prices, plan or DEFAULT_PLAN, wanted)


def price_list(prices: PriceList, plan: str, provider: str | None) -> wire.PriceList:
    """A price list as a plan pays it."""
    book = prices.book
    return wire.PriceList(
        price_book=book.id,
        plan=plan,
        markup_basis_points=prices.markups.default,
        valid_until=book.valid_until,
        prices=[
            _line(row, prices.basis_points(plan, row.provider, row.model))
            for row in book.rows.values()
            if provider in {None, row.provider}
        ],
        refused={f"{maker}/{model}": why for (maker, model), why in book.refused.items() if provider in {None, maker}},
    )


def _line(row: PriceRow, markup: int) -> wire.PriceOfModel:
    rates = row.rates
    return wire.PriceOfModel(
        model=row.name,
        input_usd=rate_usd(rates.input),
        cached_usd=rate_usd(rates.cache_read),
        output_usd=rate_usd(rates.output),
        markup_basis_points=markup,
        price_input_usd=_price(rates.input, markup),
        price_cached_usd=_price(rates.cache_read, markup),
        price_output_usd=_price(rates.output, markup),
        margin_percent=_hundredths(markup * BASIS_POINTS // (BASIS_POINTS + markup)),
        source=row.source,
        effective_from=row.effective_from,
        effective_until=row.effective_until,
    )


def _price(rate: int, markup: int) -> str:
    return rate_usd(ceil_div(rate * (BASIS_POINTS + markup), BASIS_POINTS))


def _hundredths(basis_points: int) -> str:
    return f"{basis_points // 100}.{basis_points % 100:02d}"
