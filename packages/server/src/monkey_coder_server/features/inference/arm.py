"""One of several arms a request asks: what became of it, and what it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from monkey_coder_server.domain.collapse import Told
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.domain.prompt_tokens import expected_tokens
from monkey_coder_server.domain.stream_events import Answer, Event
from monkey_coder_server.domain.teamwork.turns import Turn
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.domain.verification.verdict import Verdict
from monkey_coder_server.features.inference.attempt import LIMITED, SERVED, STOPPED
from monkey_coder_server.features.inference.exchange import Answering
from monkey_coder_server.features.inference.job import Job, Outcome, Played
from monkey_coder_server.features.inference.measure import usage_of
from monkey_coder_server.features.inference.relay import End
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.features.inference.running import Opening
from monkey_coder_server.features.inference.trail import Trail, Waste, waste_of
from monkey_coder_server.features.inference.wasted import wasted_bills
from monkey_coder_server.ports.ledger import Bill

FAILED = "failed"
"""Outcome of an arm that gave no answer."""


@dataclass(slots=True)
class Arm:
    """Hears its own answer (`running.Echo`). `place` is its rank among those of the request."""

    place: int
    route: Route
    success: float
    """How likely it was believed to succeed."""
    request: ModelRequest
    """What it is asked: the request itself, or another in its place."""
    turn: Turn | None = None
    """What it does for a team; None for an arm that is asked for the answer itself."""
    trail: Trail = field(default_factory=Trail)
    events: list[Event] = field(default_factory=list)
    called: bool = False
    """Its provider was called, or is about to be."""
    answering: Answering | None = None
    end: End | None = None
    error: GatewayError | None = None
    verdict: Verdict | None = None

    def opened(self, opening: Opening) -> None:
        """The model answers: `answering` says so."""

    def heard(self, event: Event) -> None:
        """Keep what may be passed on later."""
        self.events.append(event)

    def over(self, outcome: Outcome | GatewayError) -> None:
        """The request is over: `end` says how this arm ended."""

    @property
    def whole(self) -> bool:
        """Whether it gave an answer that can be kept."""
        return self.end in {End.FINISHED, End.LIMIT}

    @property
    def stopped(self) -> bool:
        """Whether it was stopped, or still runs."""
        return self.end is None and self.error is None

    @property
    def answers(self) -> bool:
        """Whether what it says can be the answer to the request."""
        return self.turn is None or self.turn.act.answers

    @property
    def expected_input(self) -> int:
        """The tokens its prompt is expected to be."""
        return expected_tokens(self.request)

    @property
    def text(self) -> str:
        """What it said, its calls included."""
        return "" if self.answering is None else _text(self.answering.answer)

    @property
    def outcome(self) -> str:
        """What became of it, in a word."""
        if self.whole:
            return LIMITED if self.end is End.LIMIT else SERVED
        return STOPPED if self.stopped else FAILED

    def usage(self, job: Job) -> Usage | None:
        """What its answer used so far; None where there is none to pay for."""
        answering = self.answering
        if answering is None or self.error is not None:
            return None
        rule = self.route.provider.usage_rule_for(self.route.card.model, job.request.spoken)
        return usage_of(answering.answer, self.request, rule, unfinished=self.end is not End.FINISHED)

    def told(self, job: Job) -> Told:
        """Its answer as a rule sees it; there must be one."""
        usage, answering = self.usage(job), self.answering
        if usage is None or answering is None:
            message = "an arm without an answer is told of to no rule"
            raise RuntimeError(message)
        return Told(
            self.verdict is not None and self.verdict.passed,
            self.success,
            self.route.tariff.price(usage),
            self.text,
            tuple([(call.name, call.arguments) for call in answering.answer.calls]),
        )

    def played(self, job: Job) -> Played:
        """What is told of it."""
        return Played(
            route=self.route,
            outcome=self.outcome,
            usage=self.usage(job),
            verdict=self.verdict,
            turn=self.turn,
            provider_request_id=None if self.answering is None else self.answering.provider_request_id,
        )

    def unpaid(self) -> Sequence[Waste]:
        """Its answer, if there is one, as one nobody gets."""
        if self.answering is None or self.error is not None:
            return ()
        return (waste_of(self.answering, unfinished=self.end is not End.FINISHED, request=self.trail.request),)

    def bills(self, job: Job, *, prompt: int) -> tuple[Bill, ...]:
        """What its providers bill so far, by our own count: at least the `prompt` (tokens) where it was called."""
        route, usage = self.route, self.usage(job)
        wasted = wasted_bills(self.trail, job)
        if self.error is not None:
            return wasted
        if usage is None:
            usage = Usage(uncached_input=prompt, estimated=True, doubts=("usage",))
        return (*wasted, Bill(route.provider.name, route.card.model, usage, route.tariff.cost(usage)))


def _text(answer: Answer) -> str:
    """What an answer says, its calls included."""
    return "\n".join(("".join(answer.text), *(f"{call.name} {call.arguments}" for call in answer.calls)))
