"""What came of one fault."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.hosts.house import Hosts
from tests.hosts.load import Balanced

SEEN_SECONDS = 10.0
"""The bound: by then everybody knows of a change, whatever is broken."""


@dataclass(slots=True)
class Finding:
    """`figures` are for people; `wrong` is empty when the outcome is the required one."""

    fault: str
    figures: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def measured(self, what: str, figure: object, *, right: bool = True) -> None:
        """Note a figure, and whether it is as it has to be."""
        told = f"{what}: {figure}"
        self.figures.append(told)
        if not right:
            self.wrong.append(told)

    def seen(self, what: str, seconds: list[float], *, within: float = SEEN_SECONDS) -> None:
        """Note how long the slowest gateway took to know of something."""
        self.measured(what, f"{max(seconds) * 1000:.0f} ms", right=max(seconds) <= within)


Fault = Callable[[Hosts, Balanced, Finding], Awaitable[None]]
