"""What the pricing feature stands on."""

from collections.abc import Callable

from monkey_coder_server.bootstrap.books import Books
from monkey_coder_server.domain.catalog import Catalog
from monkey_coder_server.domain.price_list import PriceList
from monkey_coder_server.features import pricing


def pricing_of(books: Books, models: Catalog, prices: Callable[[], PriceList]) -> pricing.Dependencies:
    """The stores of these books, and what is on offer."""
    return pricing.Dependencies(
        catalog=models,
        prices=prices,
        markups=books.storage.markups,
        plans=books.storage.plans,
        business=books.storage.business,
        costs=books.storage.costs,
        audit=books.storage.audit,
        clock=books.clock,
        ids=books.ids,
    )
