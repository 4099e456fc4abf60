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
    name: str
    """`provider/model`; this and what follows is the candidate's."""
    card: ModelCard
    provider: Provider
    base_url: str
    keys: KeyRing

    @classmethod
    def of(cls, candidate: Candidate, tariff: Tariff, max_tokens: int, bound: int, most_tokens: int) -> "Route":
        """The route of a candidate."""
        its = candidate
        return cls(
            its, tariff, max_tokens, bound, most_tokens, its.name, its.card, its.provider, its.base_url, its.keys
        )

    @property
    def most_output(self) -> int:
        """The most output tokens of a provider that keeps to the limit, reasoning included."""
        return self.max_tokens + self.candidate.beside
