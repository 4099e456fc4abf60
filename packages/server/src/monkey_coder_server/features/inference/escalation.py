"""Which arm of a cascade is asked next, and which of its answers is given: the planner's steps over what was seen."""

from collections.abc import Mapping, Sequence

from monkey_coder_server.domain.bandit.cascade import Cascade, Start
from monkey_coder_server.domain.bandit.runner import Runner, Seen
from monkey_coder_server.domain.collapse import Rule
from monkey_coder_server.domain.sequencing import Sequencing
from monkey_coder_server.features.inference.arm import Arm


class Escalation:
    """The cascade of one request. Arms are asked once, by the names of their routes."""

    def __init__(self, cascade: Cascade, runners: Sequence[Runner]) -> None:
        self._cascade = cascade
        self._runners: Mapping[str, Runner] = {runner.name: runner for runner in runners}

    @classmethod
    def of(cls, planned: Sequencing | None, hold: int) -> "Escalation | None":
        """Of what was planned, within a hold in nano-dollars; None where that is no cascade."""
        if planned is None or planned.rule is not Rule.CASCADE:
            return None
        return cls(planned.cascade(hold), planned.runners)

    def following(self, ended: Sequence[Arm]) -> str | None:
        """The arm to ask after these; None where the answers there are suffice."""
        step = self._cascade.step(self._seen(ended))
        return step.arm if isinstance(step, Start) else None

    def likeliest(self, ended: Sequence[Arm]) -> str | None:
        """The arm whose answer is the likeliest to be right, of a cascade that stopped; None where it goes on."""
        step = self._cascade.step(self._seen(ended))
        return None if isinstance(step, Start) else step.arm

    def _seen(self, ended: Sequence[Arm]) -> Mapping[str, Seen]:
        return {arm.route.name: self._sight(arm) for arm in ended}

    def _sight(self, arm: Arm) -> Seen:
        """What was seen of an arm; nothing where it left no answer."""
        if not arm.whole or arm.verdict is None:
            return None
        passed = arm.verdict.passed
        return next(sight for sight in self._runners[arm.route.name].sights if sight.passed is passed)
