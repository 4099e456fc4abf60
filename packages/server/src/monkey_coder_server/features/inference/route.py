"""A model ready to be called for one request: where, with which keys, within which limit and price."""

from dataclasses import dataclass

from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.features.inference.keyring import KeyRing
from monkey_coder_server.features.inference.tariff import Tariff
from monkey_coder_server.ports.provider import Provider
from monkey_coder_server.ports.record import Record

REASONING_ALLOWANCE = 32_768
"""Output tokens held beside the limit where a provider's limit does not bound its reasoning."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A model of a provider we hold a key for and know a price of; built once for each price list and plan."""

    card: ModelCard
    provider: Provider
    base_url: str
    keys: KeyRing
    tariff: Tariff
    name: str
    """`provider/model`."""

    @property
    def beside(self) -> int:
        """Output tokens a provider may bill beside the token limit."""
        if self.provider.limit_covers_reasoning or Capability.REASONING not in self.card.capabilities:
            return 0
        return min(REASONING_ALLOWANCE, self.card.max_output_tokens)


class Route(Record, frozen=True):
    """A candidate fitted to one request: `bound` is the most it can cost the account, in nano-dollars.

    `most_tokens` is the most it can use, prompt and answer together.
    """

    candidate: Candidate
    tariff: Tariff
    max_tokens: int
    bound: int
    most_tokens: int

    @property
    def name(self) -> str:
        """`provider/model`."""
        return self.candidate.name

    @property
    def most_output(self) -> int:
        """The most output tokens of a provider that keeps to the limit, reasoning included."""
        return self.max_tokens + self.candidate.beside

    @property
    def card(self) -> ModelCard:
        """The model's facts."""
        return self.candidate.card

    @property
    def provider(self) -> Provider:
        """The provider's facts."""
        return self.candidate.provider

    @property
    def base_url(self) -> str:
        """Where the provider is."""
        return self.candidate.base_url

    @property
    def keys(self) -> KeyRing:
        """The gateway's keys there."""
        return self.candidate.keys
