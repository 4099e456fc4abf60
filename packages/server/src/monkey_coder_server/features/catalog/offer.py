"""Which models are on offer, and at what price."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from monkey_coder_protocol.catalog import ModelInfo, ProviderInfo, ProviderList
from monkey_coder_server.domain.catalog import AUTO, Catalog, Kind, Mode, ModelCard
from monkey_coder_server.domain.errors import InvalidRequest, ModelNotAllowed, ModelNotFound
from monkey_coder_server.domain.model_facts import DataFacts, facts_of
from monkey_coder_server.domain.model_rules import ModelAccess, Ruling
from monkey_coder_server.domain.money import BASIS_POINTS, ceil_div
from monkey_coder_server.domain.price_list import PriceList
from monkey_coder_server.domain.pricing import rate_usd
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.provider import Provider

UNCONFIGURED = "unconfigured"
HOUSE = "monkey-coder"
AUTO_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "auto": "Monkey auto",
        "auto:cheap": "Monkey auto, cheapest",
        "auto:fast": "Monkey auto, fastest",
        "auto:best": "Monkey auto, best",
    }
)
"""What chooses a model for each request, with a label for people."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`states` says of each provider `active`, `sandbox` or `unconfigured`; `healthy` whether its calls succeed now.

    `data` says by provider what is known of what becomes of the data it is sent.
    """

    catalog: Catalog
    providers: tuple[Provider, ...]
    states: Mapping[str, str]
    healthy: Callable[[str], bool]
    data: Mapping[str, DataFacts]
    prices: Callable[[], PriceList]
    clock: Clock
    version: str
    environment: str


class Buyer(NamedTuple):
    """To whom models are offered: at the prices of which plan, and which of them may be used (None: all)."""

    plan: str = ""
    access: ModelAccess | None = None


EVERYBODY = Buyer()
"""Whom no rule binds."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A model on offer, with what is told of it."""

    card: ModelCard
    info: ModelInfo


def on_offer(use: Dependencies, buyer: Buyer, provider: str | None = None) -> tuple[Offered, ...]:
    """Models of configured providers that a buyer may use, at most of one `provider`. Raises `InvalidRequest`."""
    wanted = provider_name(use, provider)
    cards = [card for card in use.catalog.cards if wanted is None or card.provider == wanted]
    sold = [Offered(card, info) for card in cards if (info := _info(use, card, buyer.plan)) is not None]
    return tuple(each for each in sold if _ruling(use, each.card, buyer) is None)


def for_chat(offered: Iterable[Offered]) -> tuple[Offered, ...]:
    """Those that answer conversations."""
    return tuple(each for each in offered if each.card.kind is Kind.CHAT)


def found(use: Dependencies, buyer: Buyer, name: str) -> Offered | str:
    """A model by any of its names, or the plain name of a mode of `auto`.

    Raises `ModelNotFound`, also when its provider is not configured, and `ModelNotAllowed`.
    """
    selection = use.catalog.resolve(name, kind=None)
    if selection.mode is not Mode.PINNED and for_chat(on_offer(use, buyer)):
        return AUTO if selection.mode is Mode.BALANCED else f"{AUTO}:{selection.mode}"
    ruling = None
    for card in selection.cards:
        info = _info(use, card, buyer.plan)
        if info is not None:
            ruling = _ruling(use, card, buyer)
            if ruling is None:
                return Offered(card, info)
    if ruling is not None:
        message = f"This key may not use {name}: {ruling.told}."
        raise ModelNotAllowed(message, facts={"model": name})
    message = f"{name} is known but not on offer here: its provider has no key or it has no price."
    raise ModelNotFound(message, facts={"model": name})


def auto_infos(offered: Sequence[Offered]) -> list[ModelInfo]:
    """`auto` in its modes: it can do what any model on offer can, and costs what the chosen one does."""
    cards = [each.card for each in for_chat(offered)]
    if not cards:
        return []
    return [
        ModelInfo(
            id=name,
            owned_by=HOUSE,
            provider=AUTO,
            display_name=label,
            context_window=max(card.context_window for card in cards),
            max_output_tokens=max(card.max_output_tokens for card in cards),
            capabilities=sorted(frozenset[str]().union(*(card.capabilities for card in cards))),
        )
        for name, label in AUTO_NAMES.items()
    ]


def provider_list(use: Dependencies) -> ProviderList:
    """All providers, configured or not."""
    infos = {provider.name: _provider_info(use, provider) for provider in use.providers}
    usable = any(info.initialized for info in infos.values())
    return ProviderList(providers=infos, count=len(infos), status="active" if usable else UNCONFIGURED)


def _provider_info(use: Dependencies, provider: Provider) -> ProviderInfo:
    state = use.states[provider.name]
    priced = use.prices().book.rows
    on_offer = [card for card in use.catalog.cards if card.provider == provider.name and _key(card) in priced]
    return ProviderInfo(
        name=provider.name,
        type=provider.dialect.name,
        initialized=state != UNCONFIGURED,
        status=state,
        healthy=state != UNCONFIGURED and use.healthy(provider.name),
        data_policies=sorted(use.data[provider.name].policies),
        data_policies_source=use.data[provider.name].source or None,
        models=0 if state == UNCONFIGURED else len(on_offer),
    )


def _info(use: Dependencies, card: ModelCard, plan: str) -> ModelInfo | None:
    """The model as it is sold here: prices with markup, for prompts of the first price tier. None when not for sale."""
    if use.states[card.provider] == UNCONFIGURED:
        return None
    prices = use.prices()
    row = prices.book.rows.get(_key(card))
    if row is None:
        return None
    rates, markup = row.rates, prices.basis_points(plan, card.provider, card.model)
    return ModelInfo(
        id=card.name,
        owned_by=card.provider,
        provider=card.provider,
        display_name=card.display_name,
        context_window=card.context_window,
        max_output_tokens=card.max_output_tokens,
        capabilities=sorted(card.capabilities if card.kind is Kind.CHAT else (card.kind,)),
        input_price_usd_per_mtok=rate_usd(_marked_up(rates.input, markup)),
        output_price_usd_per_mtok=rate_usd(_marked_up(rates.output, markup)),
    )


def _ruling(use: Dependencies, card: ModelCard, buyer: Buyer) -> Ruling | None:
    """Why a buyer may not use a model that is for sale, on the facts that requests are judged on."""
    if buyer.access is None:
        return None
    prices = use.prices()
    markup = prices.basis_points(buyer.plan, card.provider, card.model)
    return buyer.access.excludes(facts_of(card, prices.book.rows[_key(card)], markup, use.data[card.provider]))


def _key(card: ModelCard) -> tuple[str, str]:
    return card.provider, card.model


def _marked_up(rate: int, basis_points: int) -> int:
    return ceil_div(rate * (BASIS_POINTS + basis_points), BASIS_POINTS)


def provider_name(use: Dependencies, name: str | None) -> str | None:
    """The provider a query names by any of its names; None for none. Raises `InvalidRequest`."""
    if not name:
        return None
    known_as = use.catalog.provider(name)
    if known_as is None:
        known = ", ".join(use.catalog.providers)
        message = f"The query parameter `provider` names nobody we know; the providers are {known}."
        raise InvalidRequest(message)
    return known_as
