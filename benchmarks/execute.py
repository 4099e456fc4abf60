"""`POST /v1/execute` through the gateway beside a direct call to the same upstream, in one interleaved run.

Printed: CPU of the gateway per request, latency of both, and what the gateway adds. Strict durability
is on: every hold and every settlement is on disk before its reply is complete.
"""

import asyncio
import json
import statistics
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks import load
from tools.processes import BIN, Process, free_port, server

MODEL = "gpt-4.1-mini"
PROMPT = "Write a Python function that returns the n-th Fibonacci number."
ROUNDS = 5
REQUESTS = 600


@dataclass(frozen=True, slots=True)
class Round:
    """One round of one side: milliseconds, and CPU milliseconds of the gateway per request (0 for the direct side)."""

    p50: float
    p99: float
    cpu: float


def main() -> None:
    """Run and print the table."""
    sandbox_port, gateway_port, metrics_port = free_port(), free_port(), free_port()
    with (
        tempfile.TemporaryDirectory() as data,
        server(["sandbox", "--port", str(sandbox_port)], {}, sandbox_port, "/__sandbox/tally"),
    ):
        environment = {
            "DATA_DIR": data,
            "OPENAI_API_KEY": "sk-bench",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{sandbox_port}/openai/v1",
            "LOG_LEVEL": "warning",
            "RATE_LIMIT_PER_MINUTE": "100000000",
        }
        key = _make_key(environment)
        arguments = ["serve", "--host", "127.0.0.1", "--port", str(gateway_port), "--metrics-port", str(metrics_port)]
        with server(arguments, environment, gateway_port, "/health") as gateway:
            asyncio.run(_measure(gateway, sandbox_port, key))


def _make_key(environment: Mapping[str, str]) -> str:
    command = [
        str(BIN / "monkey-server"),
        "admin",
        "create-user",
        "--email",
        "bench@example.com",
        "--credit",
        "1000",
        "--json",
    ]
    made = subprocess.run(
        command, env={**environment, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    key: str = json.loads(made.stdout)["api_key"]
    return key


def _direct_request(port: int) -> bytes:
    body = {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}], "max_completion_tokens": 1024}
    headers = {"Authorization": "Bearer sk-bench"}
    return load.http_post(f"127.0.0.1:{port}", "/openai/v1/chat/completions", headers, json.dumps(body).encode())


def _gateway_request(port: int, key: str) -> bytes:
    body = {
        "task_type": "code_generation",
        "prompt": PROMPT,
        "model": f"openai/{MODEL}",
        "context": {"user_id": "bench", "max_tokens": 1024},
        "persona_config": {"persona": "developer"},
    }
    return load.http_post(
        f"127.0.0.1:{port}", "/v1/execute", {"Authorization": f"Bearer {key}"}, json.dumps(body).encode()
    )


async def _measure(gateway: Process, sandbox_port: int, key: str) -> None:
    direct, through = _direct_request(sandbox_port), _gateway_request(gateway.port, key)
    await load.run(sandbox_port, lambda _: direct, requests=200, concurrency=4)
    await load.run(gateway.port, lambda _: through, requests=400, concurrency=4)
    print("POST /v1/execute, not streamed, strict durability; medians of", ROUNDS, "interleaved rounds")
    columns = ("concurrency", "direct p50", "gateway p50", "added p50", "ratio", "added p99", "CPU/request")
    print("{:>11} {:>11} {:>12} {:>10} {:>6} {:>10} {:>12}".format(*columns))
    for concurrency in (1, 16):
        sides: dict[str, list[Round]] = {"direct": [], "gateway": []}
        for _ in range(ROUNDS):
            sides["direct"].append(await _round(None, sandbox_port, direct, concurrency))
            sides["gateway"].append(await _round(gateway, gateway.port, through, concurrency))
        _print_row(concurrency, sides["direct"], sides["gateway"])
    print(f"gateway memory after the run: {gateway.resident_mebibytes():.0f} MiB")


async def _round(watched: Process | None, port: int, request: bytes, concurrency: int) -> Round:
    before = watched.cpu_seconds() if watched else 0.0
    measured = await load.run(port, lambda _: request, requests=REQUESTS, concurrency=concurrency)
    used = watched.cpu_seconds() - before if watched else 0.0
    if measured.failed:
        message = f"{measured.failed} of {REQUESTS} requests failed; the figures would mean nothing"
        raise RuntimeError(message)
    return Round(measured.quantile(0.5) * 1e3, measured.quantile(0.99) * 1e3, used / REQUESTS * 1e3)


def _print_row(concurrency: int, direct: list[Round], gateway: list[Round]) -> None:
    direct_p50 = statistics.median(side.p50 for side in direct)
    gateway_p50 = statistics.median(side.p50 for side in gateway)
    added = statistics.median(ours.p50 - theirs.p50 for ours, theirs in zip(gateway, direct, strict=True))
    added_p99 = statistics.median(ours.p99 - theirs.p99 for ours, theirs in zip(gateway, direct, strict=True))
    cpu = statistics.median(side.cpu for side in gateway)
    print(
        f"{concurrency:>11} {direct_p50:>8.2f} ms {gateway_p50:>9.2f} ms {added:>7.2f} ms"
        f" {gateway_p50 / direct_p50:>6.2f} {added_p99:>7.2f} ms {cpu:>9.2f} ms"
    )
