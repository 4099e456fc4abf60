"""Where the CPU time of a `POST /v1/execute` goes, layer by layer, while 16 clients ask at once.

The gateway is the one of `execute`, with a sampler inside (`benchmarks.sampled`), which costs it some percent. A sample
counts for the innermost function on the stack whose file belongs to a layer: what `domain` does counts for its caller.
"""

import asyncio
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks import load
from benchmarks.execute import PROMPT
from benchmarks.pair import Pair, running
from benchmarks.sampled import SEPARATOR

CLIENTS = 16
WARM_UP = 1_000
REQUESTS = 4_000
LOOP = "event loop, and what is in no layer"
LAYERS = (
    ("listener: bytes to a request and back", ("/adapters/listener/",)),
    ("provider: connection and HTTP", ("/adapters/upstream/", "/aiohappyeyeballs/", "/yarl/")),
    ("provider: format of its API", ("/dialects/",)),
    ("journal: records and their batches", ("/adapters/storage/journal/",)),
    ("receipts: chain and signature", ("/adapters/signing/", "/storage/receipt_chain.py")),
    ("books: endings to the database", ("/storage/writer.py", "/storage/operations.py", "/leasing/shipper.py")),
    ("books: endings to the database", ("/adapters/storage/",)),
    ("hold: leases in memory", ("/adapters/leasing/",)),
    ("metrics and log", ("/adapters/metrics/", "/logging/", "/inference/records.py")),
    ("credential: key, digest, rules", ("/web/auth.py", "/web/principal.py")),
    ("answer: JSON, files in it", ("/inference/render.py", "/inference/explain.py")),
    (
        "learning: outcomes, lengths, signs",
        tuple(f"/inference/{name}.py" for name in ("learning", "foresight", "signs", "texts", "sessions", "outcomes")),
    ),
    (
        "plan: candidates, prices, bounds",
        tuple(f"/inference/{name}.py" for name in ("planning", "plan", "fitting", "sequences", "admission", "bounds")),
    ),
    (
        "attempt: health, keys, places",
        tuple(f"/inference/{name}.py" for name in ("attempt", "exchange", "health", "keyring", "balancing", "gates")),
    ),
    ("settlement: usage, price, draft", ("/inference/settlement.py", "/inference/drafts.py", "/inference/measure.py")),
    ("order: limits, JSON to a task", tuple(f"/inference/{name}.py" for name in ("desk", "api", "task", "door"))),
    ("order: limits, JSON to a task", ("/adapters/limiter/",)),
    ("application: route, headers", ("/monkey_coder_server/app.py", "/web/", "/adapters/system/")),
    ("pipeline: tasks and waiting", ("/features/inference/",)),
)


def main() -> None:
    """Run and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        written_to = Path(folder, "stacks")
        with running(through=("benchmarks.sampled", str(written_to))) as pair:
            asyncio.run(_measure(pair, written_to))


def layer_of(files: Sequence[str]) -> str:
    """The layer of a stack, given by its files, innermost first."""
    for file in files:
        for layer, parts in LAYERS:
            if any(part in file for part in parts):
                return layer
    return LOOP


async def _measure(pair: Pair, written_to: Path) -> None:
    request = pair.through(PROMPT)
    await load.run(pair.gateway.port, lambda _: request, requests=WARM_UP, concurrency=CLIENTS)
    os.kill(pair.gateway.pid, signal.SIGUSR1)
    whole, main_thread = pair.gateway.cpu_seconds(), _main_thread(pair.gateway.pid)
    measured = await load.run(pair.gateway.port, lambda _: request, requests=REQUESTS, concurrency=CLIENTS)
    if measured.failed:
        message = f"{measured.failed} of {REQUESTS} requests failed; the figures would mean nothing"
        raise RuntimeError(message)
    whole, main_thread = pair.gateway.cpu_seconds() - whole, _main_thread(pair.gateway.pid) - main_thread
    os.kill(pair.gateway.pid, signal.SIGUSR2)
    _print(_layers(_read(written_to)), main_thread / REQUESTS * 1e6, (whole - main_thread) / REQUESTS * 1e6)


def _main_thread(pid: int) -> float:
    """CPU seconds of the event loop's thread (Linux)."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9


def _read(written_to: Path) -> list[str]:
    for _ in range(100):
        if written_to.exists():
            return written_to.read_text(encoding="utf-8").splitlines()
        time.sleep(0.1)
    message = "the gateway wrote no samples"
    raise RuntimeError(message)


def _layers(lines: Sequence[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for line in lines:
        files, _, count = line.rpartition(" ")
        found[layer_of(files.split(SEPARATOR))] += int(count)
    return found


def _print(found: Counter[str], loop_us: float, threads_us: float) -> None:
    samples = found.total()
    print(f"CPU of one request, {CLIENTS} clients, {REQUESTS} requests, {samples} samples; {os.cpu_count()} cores")
    print("{:<40} {:>10} {:>7}".format("", "us/request", "share"))
    for layer, count in found.most_common():
        print(f"{layer:<40} {count / samples * loop_us:>10.0f} {count / samples:>7.1%}")
    print(f"{'the thread of the event loop':<40} {loop_us:>10.0f} {1:>7.1%}")
    print(f"{'threads that wait for the disk':<40} {threads_us:>10.0f}")
