"""What is between a host and the servers, whichever way it is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.hosts.wire import Wire


@dataclass(slots=True)
class Link:
    """What is between a host and one server. `delay`: seconds by which all the server says comes late.

    `silent`: nothing arrives, and nobody is told.
    """

    silent: bool = False
    delay: float = 0.0

    def mend(self) -> None:
        """Be whole again, and as fast as ever."""
        self.silent, self.delay = False, 0.0


class Network(Protocol):
    """Of one host. It is asked at `address`."""

    address: str

    def reach(self, port: int) -> tuple[str, Link | Wire]:
        """Where the host finds the server at a port, `HOST:PORT`, and what is between them."""

    def command(self, command: Sequence[str]) -> list[str]:
        """The command, on this host."""

    def unplug(self) -> None:
        """Pass on nothing, to nobody."""

    def mend(self) -> None:
        """Be whole again, and as fast as ever."""

    def close(self) -> None:
        """End it."""


class Wired:
    """A host that shares the machine's network: a wire to each server stands for its own."""

    def __init__(self) -> None:
        self.address = "127.0.0.1"
        self._wires: list[Wire] = []

    def reach(self, port: int) -> tuple[str, Link | Wire]:
        """See `Network`."""
        self._wires.append(Wire(port))
        return f"127.0.0.1:{self._wires[-1].port}", self._wires[-1]

    def command(self, command: Sequence[str]) -> list[str]:
        """As it is."""
        return list(command)

    def unplug(self) -> None:
        """See `Network`."""
        for wire in self._wires:
            wire.silent = True

    def mend(self) -> None:
        """See `Network`."""
        for wire in self._wires:
            wire.mend()

    def close(self) -> None:
        """See `Network`."""
        for wire in self._wires:
            wire.close()
