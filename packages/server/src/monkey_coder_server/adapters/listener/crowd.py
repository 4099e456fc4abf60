"""How many connections one address holds at a time: one caller does not take the sockets of all others."""

from ipaddress import ip_address

from monkey_coder_server.domain.throttling import place_of


class Crowd:
    """Counts open connections by address. No more than `most` of one are admitted; 0 admits all.

    Of IPv6 a network of 64 bits counts as one address: one household has all of it. Callers on this machine are not
    counted: a proxy among them speaks for everybody.
    """

    def __init__(self, most: int = 0) -> None:
        self._most = most
        self._open: dict[str, int] = {}

    def admit(self, address: str) -> bool:
        """Count a connection of an address, unless it has too many."""
        if not self._counts(address):
            return True
        place = place_of(address)
        there = self._open.get(place, 0)
        if there >= self._most:
            return False
        self._open[place] = there + 1
        return True

    def leave(self, address: str) -> None:
        """An admitted connection of an address ended."""
        if not self._counts(address):
            return
        place = place_of(address)
        left = self._open[place] - 1
        if left:
            self._open[place] = left
        else:
            del self._open[place]

    def _counts(self, address: str) -> bool:
        return self._most > 0 and not is_local(address)


def is_local(address: str) -> bool:
    """Whether an address is of this machine; what cannot be read, as of a socket in the file system, is."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return True
