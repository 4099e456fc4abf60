"""What a request has committed itself to: the worst-case costs of all arms it started stay within its hold."""

from dataclasses import dataclass, replace


class HoldExceeded(Exception):
    """Starting an arm could have cost more than the request holds."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """A request's hold and what its started arms can cost together, in nano-dollars.

    An arm that ended below its worst case gives nothing back: what it cost may not be known yet.
    """

    hold: int
    committed: int = 0

    def allows(self, bound: int) -> bool:
        """Whether an arm of this worst-case cost may start."""
        return bound <= self.hold - self.committed

    def with_started(self, bound: int) -> "Commitment":
        """After the start of an arm. Raises HoldExceeded."""
        if not self.allows(bound):
            raise HoldExceeded
        return replace(self, committed=self.committed + bound)
