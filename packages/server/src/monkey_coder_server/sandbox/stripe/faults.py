"""Faults of single calls, scripted: each rule breaks the next calls it fits, so many times."""

from collections.abc import Sequence
from dataclasses import dataclass

KINDS = (
    "rate_limit",
    "lock_timeout",
    "cut",
    "server_error",
    "server_error_after_commit",
    "timeout_after_commit",
    "cut_after_commit",
    "slow",
    "webhook_first",
)
"""`cut`: the connection closes before any work; `…_after_commit`: the work is done and kept under its key, the answer
is lost; `slow`: the answer comes `seconds` after the work; `webhook_first`: after its own webhooks were delivered."""


class UnknownFault(ValueError):
    """No such kind of fault."""


@dataclass(slots=True)
class Fault:
    """`method` and `path` (as routes are written, or its beginning) choose the calls; empty fits all."""

    kind: str
    method: str = ""
    path: str = ""
    times: int = 1
    seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            message = f"{self.kind!r} is none of {', '.join(KINDS)}"
            raise UnknownFault(message)


class Faults:
    """Rules, the oldest first."""

    def __init__(self, rules: Sequence[Fault] = ()) -> None:
        self.rules = list(rules)

    def take(self, method: str, path: str) -> Fault | None:
        """The rule that breaks this call, one time fewer left of it."""
        for rule in self.rules:
            if rule.times and rule.method in {"", method} and path.startswith(rule.path):
                rule.times -= 1
                return rule
        return None
