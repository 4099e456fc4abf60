"""How soon the programs are there: `monkey --help` over bare Python, and `monkey-server serve` until it answers."""

import statistics
import subprocess
import sys
import tempfile
import time

from tools.processes import BIN, free_port, server

TRIES = 9
STARTS = 3


def main() -> None:
    """Run and print the table."""
    bare, monkey = _alternate([sys.executable, "-c", ""], [str(BIN / "monkey"), "--help"])
    ready, memory = zip(*(_serve() for _ in range(STARTS)), strict=True)
    print(f"Starts; medians of {TRIES} and {STARTS} tries")
    print("{:<36} {:>10} {:>10}".format("", "measured", "target"))
    _row("bare Python", f"{bare * 1e3:.0f} ms", "")
    _row("monkey --help", f"{monkey * 1e3:.0f} ms", "")
    _row("monkey --help over bare Python", f"{(monkey - bare) * 1e3:.0f} ms", "200 ms")
    _row("monkey-server serve, until it answers", f"{statistics.median(ready):.2f} s", "3 s")
    _row("its resident memory then", f"{statistics.median(memory):.0f} MiB", "")


def _row(name: str, measured: str, target: str) -> None:
    print(f"{name:<36} {measured:>10} {target:>10}")


def _alternate(*commands: list[str]) -> list[float]:
    """The median seconds of each command, run in turn; the first round only warms the file cache."""
    rounds = [[_seconds(command) for command in commands] for _ in range(TRIES + 1)]
    return [statistics.median(times) for times in zip(*rounds[1:], strict=True)]


def _seconds(command: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def _serve() -> tuple[float, float]:
    """Start a gateway on an empty data directory: seconds until it answers, and its memory in MiB."""
    port, metrics = free_port(), free_port()
    arguments = ["serve", "--host", "127.0.0.1", "--port", str(port), "--metrics-port", str(metrics)]
    with tempfile.TemporaryDirectory() as data:
        begun = time.perf_counter()
        with server(arguments, {"DATA_DIR": data}, port, "/health/ready", quiet=True) as gateway:
            return time.perf_counter() - begun, gateway.resident_mebibytes()
