"""What the pricing feature asks of others."""

from collections.abc import Callable
from dataclasses import dataclass

from monkey_coder_server.domain.catalog import Catalog
from monkey_coder_server.domain.price_list import PriceList
from monkey_coder_server.ports.accounts import Audit
from monkey_coder_server.ports.business import Business
from monkey_coder_server.ports.clock import Clock, Ids
from monkey_coder_server.ports.invoices import CostBooks
from monkey_coder_server.ports.markups import Markups
from monkey_coder_server.ports.plans import Plans


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Stores, and what is on offer."""

    catalog: Catalog
    prices: Callable[[], PriceList]
    markups: Markups
    plans: Plans
    business: Business
    costs: CostBooks
    audit: Audit
    clock: Clock
    ids: Ids
