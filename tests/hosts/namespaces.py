"""Network namespaces of hosts: each has an address of its own, and one cable to where the servers are.

The cable is two TUN devices with this process between them, which passes on whole packets or drops them. So what is cut
off is cut off as by a switch that is off: no connection is closed, nobody is told, and the kernels of both sides find
out by their own timers. A bridge and `tc netem` would do as well; not every kernel has netem.
"""

import fcntl
import os
import selectors
import shutil
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.hosts.network import Link

INSIDE = "MONKEY_HOSTS_INSIDE"
"""Set in a process that has a network of its own to make hosts in."""
LARGEST = 65_000
"""Bytes of a packet."""
_TUNSETIFF, _TUN, _WITHOUT_HEADER = 0x400454CA, 0x0001, 0x1000
_TCP, _IPV4 = 6, 4
_HOLD = ("unshare", "--net", "--", "sleep", "infinity")


class NotAllowed(Exception):
    """This machine lets this user make no namespaces; the message says what was refused."""


def command_inside(command: Sequence[str]) -> list[str]:
    """The command, in a network of its own. Raises `NotAllowed` where that, or a device in it, cannot be had."""
    if missing := [name for name in ("unshare", "nsenter", "ip") if shutil.which(name) is None]:
        message = f"{' and '.join(missing)} cannot be found"
        raise NotAllowed(message)
    own = ["--net"] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps", "--net"]
    unshare = ["unshare", *own, "--"]
    probe = [*unshare, "ip", "tuntap", "add", "probe", "mode", "tun"]
    tried = subprocess.run(probe, capture_output=True, text=True, check=False)
    if tried.returncode:
        raise NotAllowed(" ".join((tried.stderr or tried.stdout).split()))
    return [*unshare, *command]


def open_loopback() -> None:
    """A new network has not even that."""
    _ip("link", "set", "lo", "up")


@dataclass(slots=True)
class _Direction:
    """Packets on their way from one device to the other. `port` finds the server's port in a TCP packet."""

    to: int
    port_at: int
    late: bool
    waiting: deque[tuple[float, Link, bytes]] = field(default_factory=deque)


class Cable:
    """A namespace with a network of two addresses: `here` is where the servers are, `there` the host's own."""

    def __init__(self, number: int) -> None:
        self.here, self.there = f"10.73.{number}.1", f"10.73.{number}.2"
        self.dropped = 0
        self.address = self.there
        self._links: dict[int, Link] = {}
        self._rest = Link()
        self._holder = subprocess.Popen(_HOLD)
        self._until_apart()
        near, far = f"near{number}", f"far{number}"
        self._near, self._far = _tun(near), _tun(far)
        _ip("link", "set", far, "netns", str(self._holder.pid))
        _address(near, self.here, self.there, _ip)
        self._inside("link", "set", "lo", "up")
        _address(far, self.there, self.here, self._inside)
        self._over, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._pass, name=f"cable {number}", daemon=True)
        self._thread.start()

    def reach(self, port: int) -> tuple[str, Link]:
        """Where the host finds the server that listens at a port everywhere, and what is between them."""
        return f"{self.here}:{port}", self._links.setdefault(port, Link())

    def unplug(self) -> None:
        """Pass on nothing, to nobody."""
        for link in (self._rest, *self._links.values()):
            link.silent = True

    def mend(self) -> None:
        """Be whole again, and as fast as ever."""
        for link in (self._rest, *self._links.values()):
            link.mend()

    def command(self, command: Sequence[str]) -> list[str]:
        """The command, on this host; what runs has the process id of what is started."""
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", "--", *command]

    def close(self) -> None:
        """End the host's network."""
        os.write(self._wake, b".")
        self._thread.join()
        for each in (self._near, self._far, self._over, self._wake):
            os.close(each)
        self._holder.kill()
        self._holder.wait()

    def _until_apart(self) -> None:
        own = Path("/proc/self/ns/net").readlink()
        while Path(f"/proc/{self._holder.pid}/ns/net").readlink() == own:
            time.sleep(0.005)

    def _inside(self, *words: str) -> None:
        _run(self.command(["ip", *words]))

    def _pass(self) -> None:
        """Pass packets on until closed."""
        asked = _Direction(self._near, port_at=2, late=False)
        said = _Direction(self._far, port_at=0, late=True)
        with selectors.DefaultSelector() as selector:
            selector.register(self._far, selectors.EVENT_READ, asked)
            selector.register(self._near, selectors.EVENT_READ, said)
            selector.register(self._over, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(0.01 if said.waiting else None):
                    if key.data is None:
                        return
                    self._take(key.fd, key.data)
                _release(said)

    def _take(self, device: int, direction: _Direction) -> None:
        packet = os.read(device, LARGEST + 64)
        if packet[0] >> 4 != _IPV4:
            return
        link = self._links.get(_port(packet, direction.port_at), self._rest)
        if link.silent:
            self.dropped += 1
        elif direction.late and (link.delay or direction.waiting):
            direction.waiting.append((time.monotonic() + link.delay, link, packet))
        else:
            _write(direction.to, packet)


def _release(direction: _Direction) -> None:
    """Let go what has waited for long enough, or waits for nothing any more; in its order."""
    while direction.waiting and (direction.waiting[0][0] <= time.monotonic() or not direction.waiting[0][1].delay):
        _write(direction.to, direction.waiting.popleft()[2])


def _write(device: int, packet: bytes) -> None:
    with suppress(OSError):  # a device that is going takes nothing, as a wire that ends nowhere
        os.write(device, packet)


def _port(packet: bytes, at: int) -> int:
    """The port of a TCP packet that begins `at` two bytes of its header; 0 for another packet."""
    header = (packet[0] & 0x0F) * 4
    port: int = struct.unpack_from("!H", packet, header + at)[0] if packet[9] == _TCP else 0
    return port


def _tun(name: str) -> int:
    """A new device, as long as the descriptor is open."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TUN | _WITHOUT_HEADER))
    return device


def _address(device: str, own: str, peer: str, ip: Callable[..., None]) -> None:
    ip("address", "add", own, "peer", peer, "dev", device)
    ip("link", "set", device, "mtu", str(LARGEST), "up")


def _ip(*words: str) -> None:
    _run(["ip", *words])


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"{' '.join(command)}: {' '.join(done.stderr.split())}"
        raise NotAllowed(message)
