"""What a caller wants of the choice of a model, and what was chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from monkey_coder_server.domain import routing
from monkey_coder_server.domain.bandit.verifier import Rates
from monkey_coder_server.domain.catalog import Capability, Kind, Selection
from monkey_coder_server.domain.personas import Persona
from monkey_coder_server.domain.prompt_tokens import PromptSize
from monkey_coder_server.domain.routing_collapse import newcomer_shares, probabilities, usual
from monkey_coder_server.domain.routing_explained import leading
from monkey_coder_server.domain.sequencing import Sequencing
from monkey_coder_server.domain.weights import Weights
from monkey_coder_server.domain.work import Work
from monkey_coder_server.features.inference.quotes import Promise
from monkey_coder_server.features.inference.route import Candidate
from monkey_coder_server.features.inference.tariff import Tariff
from monkey_coder_server.ports.record import Record

SHOWN = 5
"""Candidates an answer tells about; `/v1/router/debug` tells about all."""

_encode = msgspec.json.Encoder().encode
_NO_MODELS: Mapping[str, str] = MappingProxyType({})
_NO_SHIFTS: Mapping[str, float] = MappingProxyType({})


class Wishes(Record, frozen=True):
    """What the caller asks of the choice. `models` maps a provider to the model wanted there; names are unchecked.

    `weights` None leaves them to the name of the model, the key and the persona, in this order.
    """

    model: str | None
    task_type: str
    persona: Persona
    providers: tuple[str, ...] = ()
    models: Mapping[str, str] = _NO_MODELS
    required: frozenset[Capability] = frozenset()
    kind: Kind = Kind.CHAT
    weights: Weights | None = None

    def of_several(self) -> "Wishes":
        """The same for several answers: they are streamed from providers, so that they can be stopped."""
        return replace(self, required=self.required | {Capability.STREAMING})


@dataclass(frozen=True)
class Decision:
    """A ranking that equal requests share for a while. `dropped` are preferred providers nothing can be had of."""

    selection: Selection
    ranking: routing.Plan
    order: tuple[Candidate, ...]
    input_tokens: int
    """The expected prompt it was reckoned for."""
    dropped: tuple[str, ...]
    sequences: dict[object, Sequencing] = field(default_factory=dict)
    """What was planned already, by what it hangs on beside the ranking."""
    told: Mapping[str, float] = field(default_factory=lambda: _NO_SHIFTS)
    """By how much the text of one request moved what is believed of each candidate; empty where it is not heard."""

    @cached_property
    def probabilities(self) -> tuple[float, ...]:
        """With which probability each candidate is played first where a request is explored."""
        return probabilities(self.ranking)

    @cached_property
    def usual(self) -> int:
        """The place of the candidate that is played as a rule."""
        return usual(self.ranking)

    @cached_property
    def newcomer_shares(self) -> tuple[float, ...]:
        """With which probability each candidate is played first where a request is not explored."""
        return newcomer_shares(self.ranking)

    @property
    def worth(self) -> float:
        """How likely the candidate that is played as a rule is believed to succeed, 0 to 1."""
        return self.ranking.candidates[self.usual].expected.success

    @cached_property
    def superposition(self) -> msgspec.Raw:
        """The leading candidates with their numbers, as JSON."""
        return msgspec.Raw(_encode(leading(self.ranking, SHOWN)))


class Draw(Record, frozen=True):
    """What a request drew: a number from 0 to 1, and the place of a candidate by the probabilities of all.

    `explores` False: only between a newcomer, which leads by what is stated of it, and the best that is proven.
    """

    uniform: float
    place: int
    probabilities: tuple[float, ...]
    explores: bool = True

    @property
    def propensity(self) -> float:
        """The probability that what was drawn had."""
        return self.probabilities[self.place]


class Stay(Record, frozen=True):
    """A conversation goes on with the candidate at `place`, whose provider has so many `cached` tokens of its prompt.

    `saving` is what that is expected to spare the account, in nano-dollars.
    """

    place: int
    cached: int
    saving: int


class Plan(Record, frozen=True):
    """A decision for one request of that `size` and `work`. `input_bound` is the most prompt tokens it can have.

    `effort` is how hard the caller asks to think, empty where that is left open. `order` are the candidates as they
    are tried, only quoted ones under a quote; `draw` is None where what is played as a rule is played for sure.
    `rates` is how far checks of answers are believed at this work, asked for where a sequence may be planned;
    with `watches` none is run all the same.
    `server_tools_bound` is the part of the bound that comes only where the provider speaks the caller's dialect and
    runs its tools.
    """

    decision: Decision
    size: PromptSize
    work: Work
    shape: str
    """As in a `Likeness`."""
    effort: str
    input_bound: int
    input_expected: int
    order: tuple[Candidate, ...]
    locked: Promise | None = None
    server_tools_bound: int = 0
    draw: Draw | None = None
    rates: Rates | None = None
    watches: bool = False
    stay: Stay | None = None

    @property
    def place(self) -> int:
        """The place in the ranking of the candidate that is tried first."""
        if self.stay is not None:
            return self.stay.place
        return self.decision.usual if self.draw is None else self.draw.place

    def success(self, name: str) -> float:
        """How likely a candidate (`provider/model`) is believed to succeed, 0 to 1."""
        return next(each.expected.success for each in self.decision.ranking.candidates if each.name == name)

    def tariff(self, candidate: Candidate) -> Tariff:
        """What the candidate costs: by the quote's prices where there is a quote."""
        return candidate.tariff if self.locked is None else self.locked.tariffs[candidate.name]
