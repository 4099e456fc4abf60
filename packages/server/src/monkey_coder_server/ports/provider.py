"""What a provider is: a record of facts over a wire dialect. Pure; sockets live behind `ports.upstream`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.errors import ProviderFailure
from monkey_coder_server.domain.model_facts import UNKNOWN, DataFacts
from monkey_coder_server.domain.stream_events import Event
from monkey_coder_server.domain.usage import UsageRule
from monkey_coder_server.ports.record import Record

_NONE: Mapping[str, str] = MappingProxyType({})
_NO_RULES: Mapping[str, UsageRule] = MappingProxyType({})


def _none() -> Mapping[str, str]:
    return _NONE


def _no_rules() -> Mapping[str, UsageRule]:
    return _NO_RULES


class WireRequest(Record, frozen=True):
    """One HTTP POST to a provider, without its host: `path` is appended to the base URL."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    dropped: tuple[str, ...] = ()
    """Parameters of the caller this model does not take and that were left out."""
    anew: bool = False
    """Written from the neutral conversation though the caller speaks this dialect: the answer is translated, too."""


class StreamDecoder(Protocol):
    """Reads one streamed answer. Memory and work per piece are bounded by the piece."""

    def feed(self, piece: bytes) -> Sequence[Event]:
        """Take bytes cut anywhere; return the events they complete."""

    def finish(self) -> Sequence[Event]:
        """The provider closed the connection: the last events; `Failed(CUT_SHORT)` when no terminal event came."""


class Dialect(Protocol):
    """A wire format of a provider, as we speak it to them. Never raises on anything a provider sends."""

    name: str

    def encode(self, request: ModelRequest, *, card: ModelCard, key: str, stream: bool) -> WireRequest:
        """Write the request for this model, with its authentication headers.

        A request whose `source` is of this dialect is sent on as it was written, but for model, limit and what this
        provider cannot take; where its very words mean nothing to the model it is written `anew`. Raises
        `InvalidRequest` for what the format cannot say.
        """

    def decode(self, body: bytes) -> Sequence[Event]:
        """Read a whole (not streamed) answer of status 200; ends in `Finished` or `Failed(MALFORMED)`."""

    def decoder(self, *, relay: bool = False) -> StreamDecoder:
        """A reader for one streamed answer. `relay`: each frame without an error is given as a `Frame`, too."""

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderFailure:
        """Read an error answer. Header names are lower case."""


class CancelPolicy(StrEnum):
    """What happens upstream when the caller hangs up in mid-stream; the receipt says what did.

    `DRAIN`: the provider stops billing with the connection, but says only at its end what it bills; it is read on while
    that costs less than an estimate could be wrong by. `FINISH`: it bills the whole answer in any case, so all of it is
    read. `CANCEL`: it is stopped at once, and what was seen is billed. `ESTIMATE`: the same, of one that goes on
    billing; on a receipt also a drain that was given up.
    """

    DRAIN = "drain"
    FINISH = "finish"
    CANCEL = "cancel"
    ESTIMATE = "estimate"

    @property
    def stops_at_once(self) -> bool:
        """Whether nothing more is read once nobody waits."""
        return self in {CancelPolicy.CANCEL, CancelPolicy.ESTIMATE}


class Continuity(StrEnum):
    """How a provider is told that a prompt comes again, beyond finding out by itself.

    `MARKS`: marks in the prompt say what is kept. `SESSION`: a name that all turns of a conversation share leads them
    to where it is kept.
    """

    NONE = "none"
    MARKS = "marks"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider: its dialect with its quirks, where it lives, how it counts, what it offers.

    `base_url` as its SDK means it. `prices_id` is its id in the price source.
    `cards` are the models one talks with, ordered best first; the first is its default. `other_cards` are for other
    work (embeddings, moderation) and never stand in for those. `free` says of models without a price where the vendor
    declares them free.
    """

    name: str
    label: str
    dialect: Dialect
    base_url: str
    key_variable: str
    base_url_variable: str
    prices_id: str
    usage_rule: UsageRule
    cards: tuple[ModelCard, ...]
    aliases: tuple[str, ...] = ()
    cancel_policy: CancelPolicy = CancelPolicy.DRAIN
    limit_covers_reasoning: bool = True
    """Whether the token limit bounds reasoning too (not at xAI); otherwise the hold allows for it beside."""
    other_cards: tuple[ModelCard, ...] = ()
    free: Mapping[str, str] = field(default_factory=_none)
    further_dialects: tuple[Dialect, ...] = ()
    """Other wire formats the provider speaks."""
    spoken_to_in: Mapping[str, str] = field(default_factory=_none)
    """Model → the dialect it needs, where that is not the provider's usual one."""
    data: DataFacts = UNKNOWN
    """What it says publicly of the data it is sent."""
    continuity: Continuity = Continuity.NONE
    usage_rules: Mapping[str, UsageRule] = field(default_factory=_no_rules)
    """Dialect → how the provider counts in it, where that is not its usual rule."""

    @property
    def offers(self) -> tuple[ModelCard, ...]:
        """All its models."""
        return (*self.cards, *self.other_cards)

    def dialect_for(self, model: str, spoken: str | None) -> Dialect:
        """The wire format to use for a model: the caller's own where the provider speaks it, else the model's."""
        needed = self.spoken_to_in.get(model)
        for dialect in self.further_dialects:
            if dialect.name in {spoken, needed}:
                return dialect
        return self.dialect

    def usage_rule_for(self, model: str, spoken: str | None) -> UsageRule:
        """How the provider counts in the wire format used for a model."""
        return self.usage_rule_in(self.dialect_for(model, spoken).name)

    def usage_rule_in(self, dialect: str) -> UsageRule:
        """How the provider counts in a wire format."""
        return self.usage_rules.get(dialect, self.usage_rule)
