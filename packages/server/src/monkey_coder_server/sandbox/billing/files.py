"""Invoices as files: a line a request (xAI, Perplexity, Groq, Moonshot), or Google's table of days and SKUs."""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from fractions import Fraction

from monkey_coder_server.sandbox.billing.ledger import Billed, billed, dollars
from monkey_coder_server.sandbox.world import World

_PER_TICK = 10
_REQUEST_COLUMNS = (
    "request_id",
    "time",
    "model",
    "input_tokens",
    "cached_input_tokens",
    "output_tokens",
    "reasoning_tokens",
)
_SKUS = {
    "input_mtok": ("Text Input", "uncached"),
    "cache_read_mtok": ("Text Input Cached Content", "cache_read"),
    "output_mtok": ("Text Output", "output"),
    "output_reasoning_mtok": ("Text Output", "reasoning"),
}


def invoice(world: World, provider: str, first: date, last: date) -> str:
    """The file of a period, as CSV. Raises `KeyError` for a provider that gives out none."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(_FILES[provider](list(billed(world, provider, first, last))))
    return out.getvalue()


def _requests(amount: str, value: Callable[[int], str]) -> Callable[[Sequence[Billed]], Iterator[Sequence[object]]]:
    def rows(several: Sequence[Billed]) -> Iterator[Sequence[object]]:
        yield (*_REQUEST_COLUMNS, amount, "currency")
        for each in several:
            entry, used = each.entry, each.entry.usage
            yield (
                entry.request_id,
                entry.at.isoformat(),
                each.card.served_as,
                used.prompt,
                used.cache_read,
                used.output + used.reasoning,
                used.reasoning,
                value(entry.cost_nanos),
                "USD",
            )

    return rows


def _usd(nanos: int) -> str:
    return format(dollars(Fraction(nanos)), ".9f")


def _google(several: Sequence[Billed]) -> Iterator[Sequence[object]]:
    money: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
    counted: defaultdict[tuple[str, str], int] = defaultdict(int)
    for each in several:
        for part, nano in each.parts.items():
            words, bucket = _SKUS[part]
            place = (each.day.isoformat(), f"{each.entry.model.replace('-', ' ').title()} GA {words} - Predictions")
            money[place] += nano
            counted[place] += int(getattr(each.entry.usage, bucket))
    yield ("Service description", "SKU description", "Usage start date", "Usage amount", "Usage unit", "Cost ($)")
    for place in money:
        day, sku = place
        yield ("Gemini API", sku, day, counted[place], "count", format(dollars(money[place]), ".9f"))


_FILES: dict[str, Callable[[Sequence[Billed]], Iterator[Sequence[object]]]] = {
    "xai": _requests("cost_in_usd_ticks", lambda nanos: str(nanos * _PER_TICK)),
    "perplexity": _requests("cost_usd", _usd),
    "groq": _requests("amount_usd", _usd),
    "moonshot": _requests("amount_usd", _usd),
    "google": _google,
}
