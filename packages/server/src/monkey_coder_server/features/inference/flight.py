"""One admitted request while its answer comes: when to stop reading, and what it means that we did."""

from collections.abc import Sequence

from monkey_coder_server.domain.errors import ProviderTimedOut
from monkey_coder_server.features.inference.admission import Admitted
from monkey_coder_server.features.inference.exchange import Answering
from monkey_coder_server.features.inference.job import Job, Outcome
from monkey_coder_server.features.inference.prompt_caches import Thread
from monkey_coder_server.features.inference.relay import End
from monkey_coder_server.features.inference.running import Run
from monkey_coder_server.features.inference.trail import Trail, Waste, waste_of
from monkey_coder_server.web.within import Within


class Flight:
    """`drain` is how many seconds an answer is read on, for the provider's own usage, after the caller left."""

    def __init__(self, job: Job, admitted: Admitted, run: Run[Outcome], thread: Thread, *, drain: float) -> None:
        self.job = job
        self.admitted = admitted
        self.run = run
        self.thread = thread
        self.trail = Trail()
        self.answering: Answering | None = None
        self.unpaid: Sequence[Waste] = ()
        """Answers of several arms, none of which is charged when the request fails after all."""
        self._drain = drain
        self._bound: Within | None = None
        self._ends = 0.0

    def answered(self) -> Answering:
        """The model that answers. Raises `RuntimeError` before there is one."""
        if self.answering is None:
            message = "no model answers yet"
            raise RuntimeError(message)
        return self.answering

    def watch(self, bound: Within) -> None:
        """Shorten the deadline while nobody waits, as the provider's cancel policy says."""
        self._bound, self._ends = bound, bound.ends
        self.run.when_left(self._left, self._returned)

    def unwatch(self) -> None:
        """The answer is over: leaving changes nothing any more."""
        self._bound = None

    def stopped(self) -> End:
        """The deadline passed. A stream whose caller had left is billed as far as it came.

        Raises `ProviderTimedOut` for a caller that still waits: it is not charged.
        """
        if self.run.deserted and self.job.stream and self.answering is not None:
            return End.LEFT
        self.abandon()
        raise self.too_late()

    def too_late(self) -> ProviderTimedOut:
        """What a caller is told whose request took too long."""
        return ProviderTimedOut(
            f"The request was not served within its {self.job.seconds:g} seconds; it is not charged."
        )

    def abandon(self) -> None:
        """We stop an answer nobody gets: the provider may bill what it has written."""
        self.trail.wasted.extend(self.unpaid)
        if self.answering is not None:
            unfinished = self.answering.answer.finish is None
            self.trail.wasted.append(waste_of(self.answering, unfinished=unfinished))

    def _left(self) -> None:
        if self._bound is not None:
            self._bound.shorten(0.0 if self._stops_at_once() else self._drain)

    def _returned(self) -> None:
        if self._bound is not None:
            self._bound.lengthen(self._ends)

    def _stops_at_once(self) -> bool:
        answering = self.answering
        if answering is None or not self.job.stream:
            return False
        return answering.route.provider.cancel_policy.stops_at_once
