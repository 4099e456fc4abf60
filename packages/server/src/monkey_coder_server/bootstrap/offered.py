"""Which models are on offer, with what rules on models look at, and what is known of the data providers are sent."""

from collections.abc import Callable, Collection, Mapping

from monkey_coder_server.domain.catalog import Catalog
from monkey_coder_server.domain.model_facts import UNKNOWN, DataFacts, DataPolicy, ModelFacts, facts_of
from monkey_coder_server.domain.price_list import PriceList
from monkey_coder_server.ports.provider import Provider
from monkey_coder_server.settings import Settings

AGREED = "PROVIDER_DATA_POLICIES"


def data_facts(provider: Provider, settings: Settings, base_url: str, *, simulated: bool) -> DataFacts:
    """What the operator agreed with a provider, else what it says publicly.

    What it says holds for its own service alone: of whatever else is called in its name nothing is known.
    """
    agreed = settings.data_policies.get(provider.name)
    if agreed is not None:
        return DataFacts(frozenset(DataPolicy(word) for word in agreed), f"setting {AGREED}")
    own = simulated or base_url.rstrip("/") == provider.base_url.rstrip("/")
    return provider.data if own else UNKNOWN


def facts_by_plan(
    models: Catalog, prices: Callable[[], PriceList], data: Mapping[str, DataFacts], keyed: Collection[str]
) -> Callable[[str], tuple[ModelFacts, ...]]:
    """Every model of a provider we hold a key of, at the prices of a plan; those without a price are not for sale."""

    def offered(plan: str) -> tuple[ModelFacts, ...]:
        priced = prices()
        rows = priced.book.rows
        return tuple(
            facts_of(
                card,
                rows[card.provider, card.model],
                priced.basis_points(plan, card.provider, card.model),
                data[card.provider],
            )
            for card in models.cards
            if card.provider in keyed and (card.provider, card.model) in rows
        )

    return offered
