"""Where each provider is called, and with which of its keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monkey_coder_server.bootstrap.offered import data_facts
from monkey_coder_server.domain.model_facts import DataFacts
from monkey_coder_server.features import catalog, inference
from monkey_coder_server.ports.provider import Provider
from monkey_coder_server.providers import anthropic, google, groq, moonshot, openai, perplexity, xai
from monkey_coder_server.settings import Settings

SANDBOX_KEY = "sandbox"
PROVIDERS: tuple[Provider, ...] = (
    openai.PROVIDER,
    anthropic.PROVIDER,
    google.PROVIDER,
    groq.PROVIDER,
    xai.PROVIDER,
    perplexity.PROVIDER,
    moonshot.PROVIDER,
)


@dataclass(frozen=True, slots=True)
class Supply:
    """Where a provider is called and with which keys; no keys means it is not configured."""

    provider: Provider
    base_url: str
    keys: tuple[str, ...]
    state: str
    data: DataFacts
    """What is known of what becomes of the data it is sent."""

    @property
    def access(self) -> inference.Access:
        """How it is reached."""
        return inference.Access(self.provider, self.base_url, self.keys, self.data)


def states_of(supplies: Sequence[Supply]) -> str:
    """Each provider with what is configured of it, as the operator reads it."""
    return ", ".join(f"{supply.provider.name} {supply.state}" for supply in supplies)


def supply_of(provider: Provider, settings: Settings, simulated: Mapping[str, str]) -> Supply:
    """As the operator configured it; `simulated` are base URLs of simulators, by provider."""
    given = settings.providers[provider.name]
    keys = tuple(key.reveal() for key in given.keys)
    simulates = not keys and provider.name in simulated
    base_url = simulated[provider.name] if simulates else (given.base_url or provider.base_url)
    data = data_facts(provider, settings, base_url, simulated=simulates)
    if keys:
        return Supply(provider, base_url, keys, "active", data)
    if simulates:
        return Supply(provider, base_url, (SANDBOX_KEY,), "sandbox", data)
    return Supply(provider, provider.base_url, (), catalog.UNCONFIGURED, data)
