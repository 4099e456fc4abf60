"""The second arm of a request: who it may be, who pays for the one that is beaten, and how that comes to its end.

The beaten one is read to its end, so that its bill is known; what still runs when the kept answer is there goes on for
the house (`house`). It is the house's cost where the caller did not ask for a hedge, and else on the caller's receipt.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from monkey_coder_server.domain.bandit.commitment import Commitment
from monkey_coder_server.domain.bound_sessions import bound_to_its_model
from monkey_coder_server.domain.catalog import Kind, Mode
from monkey_coder_server.domain.collapse import Kept, Rule
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.features.inference.attempt import SERVED, STOPPED, Attempts
from monkey_coder_server.features.inference.beaten import Beaten
from monkey_coder_server.features.inference.contest import Contender
from monkey_coder_server.features.inference.exchange import Answering
from monkey_coder_server.features.inference.flight import Flight
from monkey_coder_server.features.inference.house import BEATEN_UNPAID, House
from monkey_coder_server.features.inference.job import Collapsed, Hedged, Played
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.features.inference.trail import Trail
from monkey_coder_server.ports.ledger import Bill

OPEN = frozenset({Mode.BALANCED, Mode.FAST})
"""How a request leaves the model open that is hedged unasked."""
BEATEN = "beaten"
"""Outcome of a call whose second, or whose first, spoke sooner; the caller asked for both, so it pays for both."""
A_LITTLE = 0.25
"""Seconds a beaten arm that says nothing is waited for once the kept answer is there, where the caller pays for it."""
READ_OUT = 2.0
"""Seconds such an arm is read on that speaks: its bill is known exactly at its end only."""


@dataclass(slots=True)
class HedgeFigures:
    """Of this process: second calls that were made, and those that spoke before the first."""

    started: int = 0
    won: int = 0


class Hedges:
    """Says which requests are hedged: those that ask for it, and those that leave the model open, where `unasked`.

    Who asks for the best model waits for it, and who asks for the cheapest, or the next of a cascade whose answers it
    checks itself, is not given a dearer one.
    """

    def __init__(self, attempts: Attempts, house: House, figures: HedgeFigures, *, unasked: bool) -> None:
        self._attempts = attempts
        self._house = house
        self._figures = figures
        self._unasked = unasked

    def of(self, flight: Flight) -> "Hedge | None":
        """The hedge of a request; None where there shall be none."""
        job, admitted = flight.job, flight.admitted
        if job.collapse is not None and job.collapse.rule is Rule.HEDGE:
            asked, allowed = True, admitted.several
        else:
            mode = admitted.plan.decision.ranking.mode
            asked = False
            ordinary = job.wishes.kind is Kind.CHAT and job.rounds is None
            allowed = self._unasked and mode in OPEN and not admitted.several and ordinary
        return Hedge(flight, self._attempts, self._house, self._figures, asked=asked) if allowed else None


class Hedge:
    """Implements `contest.Contest` for one request. `asked`: its caller wants it, and both arms are held."""

    def __init__(self, flight: Flight, attempts: Attempts, house: House, figures: HedgeFigures, *, asked: bool) -> None:
        self._flight = flight
        self._attempts = attempts
        self._house = house
        self._figures = figures
        self._asked = asked
        self._running: list[Contender] = []
        self._first: Contender | None = None
        self._second: Contender | None = None
        self._won = False
        self._beaten: Beaten | None = None

    def seconds(self, first: Route, pending: Sequence[Route]) -> Iterator[Route]:
        """Other providers, then other models of the same, then the same model by another key.

        A conversation bound to its model stays with it; for a caller who left there is no second. What both can cost is
        held where the caller pays for both.
        """
        job, hold = self._flight.job, self._flight.admitted.hold
        if self._flight.run.deserted:
            return iter(())
        others = [] if bound_to_its_model(job.request) else [each for each in pending if each.name != first.name]
        others.sort(key=lambda each: each.provider.name == first.provider.name)
        committed = Commitment(hold.amount).with_started(first.bound) if self._asked else Commitment(hold.amount)
        return (each for each in (*others, first) if committed.allows(each.bound))

    def entered(self, contender: Contender) -> None:
        """A call begins; one beside another is the second."""
        if self._running:
            self._second = contender
            self._figures.started += 1
        else:
            self._first, self._second = contender, None
        self._running.append(contender)

    def left(self, contender: Contender) -> None:
        """A call is over without an answer."""
        self._running.remove(contender)

    def kept(self, winner: Contender, beaten: Contender | None) -> None:
        """The winner's answer is passed on; the other is read on beside it, unless it was not called yet."""
        self._won = winner is self._second
        self._figures.won += self._won
        self._running.clear()
        if beaten is None:
            return
        self._running.append(beaten)
        self._beaten = Beaten(beaten, self._flight, self._attempts)
        self._beaten.follow()

    def bills_beside(self, _: Trail) -> tuple[Bill, ...]:
        """What the arms that run beside the one in question come to: at least their prompts."""
        prompt = self._flight.admitted.plan.input_expected
        usage = Usage(uncached_input=prompt, estimated=True, doubts=("usage",))
        return tuple(
            [
                Bill(each.route.provider.name, each.route.card.model, usage, each.route.tariff.cost(usage))
                for each in self._running
                if each.called
            ]
        )

    async def close(self, *, kept: bool) -> None:
        """The kept answer is there, or (`kept` False) there is none: note what the beaten arm came to.

        One that was called and has no end yet the house sees through, unless it speaks and the caller pays for it.
        """
        beaten, self._running = self._beaten, []
        if beaten is None:
            return
        if self._asked and kept:
            await beaten.wait(A_LITTLE)
            if beaten.speaks:
                await beaten.wait(READ_OUT)
        if beaten.runs and beaten.contender.called and not (self._asked and kept and beaten.speaks):
            self._house.take(self._flight.job, beaten)
            self._flight.trail.records.append(beaten.record(self._word))
            return
        await beaten.stop()
        trail = self._flight.trail
        trail.records.extend(
            [
                replace(each, outcome=self._word) if each.outcome in {SERVED, STOPPED} else each
                for each in beaten.contender.trail.records
            ]
        )
        trail.wasted.extend(beaten.contender.trail.wasted)
        if self._asked and kept:
            self._flight.unpaid = beaten.unpaid
        else:
            trail.wasted.extend(beaten.unpaid)

    def told(self) -> Hedged | None:
        """What an answer says of its hedge; None where no second arm was started."""
        other = self._first if self._won else self._second
        if other is None or self._second is None:
            return None
        return Hedged(asked=self._asked, won=self._won, other=other.route, beaten=self._beaten is not None)

    def collapsed(self, answering: Answering, usage: Usage) -> Collapsed | None:
        """Both arms of a caller who pays for both; None where it pays for one."""
        collapse, beaten = self._flight.job.collapse, self._beaten
        if not self._asked or beaten is None or collapse is None:
            return None
        winner = Played(
            route=answering.route,
            outcome=SERVED,
            usage=usage,
            provider_request_id=answering.provider_request_id,
        )
        return Collapsed(collapse=collapse, kept=Kept(0, None, met=True), played=(winner, beaten.played(self._word)))

    @property
    def _word(self) -> str:
        return BEATEN if self._asked else BEATEN_UNPAID
