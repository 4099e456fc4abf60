"""A gateway over all seven simulators, its books, and the four SDKs pointed at it."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from monkey_coder_server.domain.money import usd
from monkey_coder_server.sandbox.server import BASE_PATHS
from tests.books_audit import Books, Row
from tests.contract_http import Outsider
from tests.matrix.drivers import DIALECTS, driver
from tests.matrix.words import Driver, Said
from tests.opened_accounts import open_accounts
from tools.processes import free_port, server

KEYS_A_PROVIDER = 64
"""A key rests after a refusal; with so many there is always another."""
UNFINISHED = ("monkey_coder_active_requests", "monkey_coder_held_requests", "monkey_coder_unshipped_endings")
BOOKED_WITHIN = 15.0
"""Seconds after which a request that was given up must be in the books."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway with its books. `poor_key` belongs to an account without credit."""

    base_url: str
    metrics_url: str
    data: Path
    key: str
    poor_key: str
    drivers: Mapping[str, Driver]

    def driver(self, dialect: str, key: str) -> Driver:
        """The SDK of a dialect with another key."""
        return driver(dialect, self.base_url, key)

    @property
    def busy(self) -> bool:
        """Whether a request runs, or one that ended is not in the books yet."""
        told = Outsider(self.metrics_url).get("/metrics").raw.decode()
        figures = dict(line.rsplit(" ", 1) for line in told.splitlines() if not line.startswith("#"))
        return any(float(figures[name]) for name in UNFINISHED)

    def row(self, request_id: str) -> Row:
        """The usage row of a request, waited for."""
        until = time.monotonic() + BOOKED_WITHIN
        while time.monotonic() < until:
            with closing(Books(self.data)) as books:
                rows = books.rows(request_id)
            if rows:
                return rows[0]
            time.sleep(0.05)
        message = f"{request_id} is not in the books"
        raise AssertionError(message)

    def booked(self, said: Said, provider: str) -> Row:
        """The row of an answer, once it says what the answer says."""
        row = self.row(said.request_id)
        assert (row.status, row.counted.provider) == ("served", provider)
        assert said.usage is not None, "no usage was told"
        told = (said.usage.prompt, said.usage.cached, said.usage.output)
        assert told == (row.counted.prompt, row.counted.cached, row.counted.output)
        assert said.usage.reasoning in {None, row.counted.reasoning}
        assert said.cost == Decimal(usd(row.charged)), f"told {said.cost}, booked {usd(row.charged)}"
        assert Decimal(said.headers.get("x-monkey-cost", said.cost)) == said.cost
        assert said.headers["x-monkey-provider"] == provider
        return row


@dataclass(frozen=True, slots=True)
class Stage(Gateway):
    """A gateway over the simulators of all providers."""

    simulators: Outsider

    def received(self, provider: str, mark: str) -> str:
        """The body of the last request of a provider's that holds the mark, as JSON."""
        requests = self.simulators.get("/__sandbox/requests").body["requests"]
        bodies = [json.dumps(one["body"]) for one in requests if one["provider"] == provider]
        return next(body for body in reversed(bodies) if mark in body)


@contextmanager
def gateway(data: Path, base_urls: Mapping[str, str]) -> Iterator[Gateway]:
    """Start a gateway whose providers live at these addresses, with many keys each."""
    port, metrics_port = free_port(), free_port()
    base_url = f"http://127.0.0.1:{port}"
    environment = {"DATA_DIR": str(data), "LOG_LEVEL": "warning", "BASE_URL": base_url}
    for provider, address in base_urls.items():
        keys = ",".join(f"{provider}-key-{number}" for number in range(KEYS_A_PROVIDER))
        environment |= {f"{provider.upper()}_API_KEY": keys, f"{provider.upper()}_BASE_URL": address}
    made = open_accounts(environment, {"rich": "1000", "poor": "0"})
    owner, poor = made["rich"].api_key, made["poor"].api_key
    serve = ["serve", "--host", "127.0.0.1", "--port", str(port), "--metrics-port", str(metrics_port)]
    with server(serve, environment, port, "/health"):
        body = {"name": "matrix", "rate": 1_000_000}
        key = Outsider(base_url, owner).post("/v1/keys", body).body["key"]
        drivers = {dialect: driver(dialect, base_url, key) for dialect in DIALECTS}
        yield Gateway(base_url, f"http://127.0.0.1:{metrics_port}", data, key, poor, drivers)
        for each in drivers.values():
            each.close()


@contextmanager
def stage(data: Path, rules: Iterable[Mapping[str, Any]]) -> Iterator[Stage]:
    """Start simulators that keep to these rules, and a gateway over them."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    sandbox = ["sandbox", "--port", str(port)]
    with server(sandbox, {}, port, "/__sandbox/health", quiet=True):
        simulators = Outsider(address)
        simulators.post("/__sandbox/script", {"rules": list(rules)})
        with gateway(data, {provider: address + path for provider, path in BASE_PATHS.items()}) as running:
            served = {each.name: getattr(running, each.name) for each in fields(running)}
            yield Stage(**served, simulators=simulators)
