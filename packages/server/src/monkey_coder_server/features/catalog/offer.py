"""Which models are on offer, and at what price."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monkey_coder_protocol.catalog import ModelInfo, ModelList, ProviderInfo, ProviderList
from monkey_coder_server.domain.catalog import Catalog, Kind, ModelCard
from monkey_coder_server.domain.errors import InvalidRequest, ModelNotFound, PriceUnknown
from monkey_coder_server.domain.markup import MarkupTable
from monkey_coder_server.domain.money import BASIS_POINTS, ceil_div
from monkey_coder_server.domain.pricing import PriceBook, rate_usd
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.provider import Provider

UNCONFIGURED = "unconfigured"


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`states` says of each provider `active`, `sandbox` or `unconfigured`; `healthy` whether its calls succeed now."""

    catalog: Catalog
    providers: tuple[Provider, ...]
    states: Mapping[str, str]
    healthy: Callable[[str], bool]
    prices: Callable[[], PriceBook]
    markups: MarkupTable
    clock: Clock
    version: str
    environment: str


def offered(use: Dependencies, provider: str | None = None) -> ModelList:
    """Models of configured providers that have a price, at most of one `provider`. Raises `InvalidRequest`."""
    wanted = _provider_name(use, provider) if provider else None
    infos: list[ModelInfo] = []
    ids: dict[str, list[str]] = {}
    for card in use.catalog.cards:
        if wanted is not None and card.provider != wanted:
            continue
        info = _info(use, card)
        if info is not None:
            infos.append(info)
            ids.setdefault(card.provider, []).append(card.model)
    return ModelList(data=infos, models=ids, count=len(infos), provider_filter=wanted)


def one_model(use: Dependencies, name: str) -> ModelInfo:
    """A model by any of its names. Raises `ModelNotFound`, also when its provider is not configured."""
    selection = use.catalog.resolve(name, kind=None)
    for card in selection.cards:
        info = _info(use, card)
        if info is not None:
            return info
    message = f"{name} is known but not on offer here: its provider has no key or it has no price."
    raise ModelNotFound(message, facts={"model": name})


def provider_list(use: Dependencies) -> ProviderList:
    """All providers, configured or not."""
    infos = {provider.name: _provider_info(use, provider) for provider in use.providers}
    usable = any(info.initialized for info in infos.values())
    return ProviderList(providers=infos, count=len(infos), status="active" if usable else UNCONFIGURED)


def _provider_info(use: Dependencies, provider: Provider) -> ProviderInfo:
    state = use.states[provider.name]
    on_offer = [card for card in use.catalog.cards if card.provider == provider.name and _info(use, card) is not None]
    return ProviderInfo(
        name=provider.name,
        type=provider.dialect.name,
        initialized=state != UNCONFIGURED,
        status=state,
        healthy=state != UNCONFIGURED and use.healthy(provider.name),
        models=len(on_offer),
    )


def _info(use: Dependencies, card: ModelCard) -> ModelInfo | None:
    """The model as it is sold here: prices with markup, for prompts of the first price tier. None when not for sale."""
    if use.states[card.provider] == UNCONFIGURED:
        return None
    try:
        rates = use.prices().row(card.provider, card.model).rates
    except PriceUnknown:
        return None
    markup = use.markups.basis_points(plan="", provider=card.provider, model=card.model)
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


def _marked_up(rate: int, basis_points: int) -> int:
    return ceil_div(rate * (BASIS_POINTS + basis_points), BASIS_POINTS)


def _provider_name(use: Dependencies, name: str) -> str:
    found = use.catalog.provider(name)
    if found is None:
        known = ", ".join(use.catalog.providers)
        message = f"The query parameter `provider` names nobody we know; the providers are {known}."
        raise InvalidRequest(message)
    return found
