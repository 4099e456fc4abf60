"""Price books as facts: what is kept of a book, and the same book read again."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from monkey_coder_server.domain.pricing import PriceBook, PriceRow, Rates, Tier


def book_facts(book: PriceBook) -> dict[str, Any]:
    """Everything a book says, as JSON."""
    return {
        "rows": [book.rows[key].facts() for key in sorted(book.rows)],
        "refused": [[provider, model, why] for (provider, model), why in sorted(book.refused.items())],
    }


def read_book(facts: Mapping[str, Any]) -> PriceBook:
    """The book of such facts: it has the same id."""
    refused = {(provider, model): why for provider, model, why in facts["refused"]}
    return PriceBook.of(map(read_row, facts["rows"]), refused)


def read_row(facts: Mapping[str, Any]) -> PriceRow:
    """A row by its facts."""
    row = dict(facts)
    row["rates"] = Rates(*row["rates"])
    row["tiers"] = tuple(Tier(above, Rates(*rates)) for above, *rates in row["tiers"])
    row["fees"] = MappingProxyType(dict(row["fees"]))
    return PriceRow(**row)
