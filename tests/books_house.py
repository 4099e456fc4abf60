"""Traffic through gateways of its own, stopped in order, and everything they left: for tests of the books."""

import asyncio
import json
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monkey_coder_server.domain.money import parse_usd
from monkey_coder_server.sandbox.server import BASE_PATHS
from tests.books_audit import Books, Row
from tests.books_client import Told, send_all
from tests.books_traffic import PROVIDERS, Ask
from tests.opened_accounts import open_accounts
from tools.processes import BIN, free_port, server

KEYS_A_PROVIDER = 64
"""A refused key rests for a minute; with so many there is always another."""
CREDIT = {"first": "5000", "second": "5000", "third": "5000", "poor": "0.05", "empty": "0"}
CAP_USD = "0.02"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What clients, simulators and books say after the gateways have stopped."""

    told: list[Told]
    tally: Mapping[str, Any]
    rows: list[Row]
    books: Books
    verdict: Mapping[str, Any]
    accounts: Mapping[str, str]
    balances: Mapping[str, int]


@contextmanager
def played(data: Path, asks: Sequence[Ask], *, gateways: int = 1, database: str = "") -> Iterator[Evidence]:
    """Send the asks to so many gateways in turn, all on one database: SQLite in `data` unless a URL is given."""
    environment = {"DATA_DIR": str(data), "LOG_LEVEL": "warning"} | ({"DATABASE_URL": database} if database else {})
    made = open_accounts(environment, CREDIT)
    sandbox_port = free_port()
    with server(["sandbox", "--port", str(sandbox_port), "--seed", "7"], {}, sandbox_port, "/__sandbox/health"):
        simulators = f"http://127.0.0.1:{sandbox_port}"
        with ExitStack() as stack:
            base_urls = [stack.enter_context(_gateway(environment | _supplies(simulators))) for _ in range(gateways)]
            keys = {name: _key(base_urls[0], user.api_key) for name, user in made.items()}
            keys["capped"] = _key(base_urls[0], made["third"].api_key, caps={"total_usd": CAP_USD})
            told = asyncio.run(_send(base_urls, keys, asks))
        tally = _ask(f"{simulators}/__sandbox/tally")
    accounts = {name: user.user.account_id for name, user in made.items()}
    listed = _admin(environment, "list-users")
    balances = {user["account_id"]: parse_usd(user["balance_usd"]) for user in listed}
    books = Books(database or data)
    try:
        yield Evidence(told, tally, books.rows(), books, _admin(environment, "ledger", "verify"), accounts, balances)
    finally:
        books.close()


@contextmanager
def _gateway(environment: Mapping[str, str]) -> Iterator[str]:
    port = free_port()
    arguments = ["serve", "--host", "127.0.0.1", "--port", str(port), "--metrics-port", str(free_port())]
    with server(arguments, dict(environment), port, "/health"):
        yield f"http://127.0.0.1:{port}"


async def _send(base_urls: Sequence[str], keys: Mapping[str, str], asks: Sequence[Ask]) -> list[Told]:
    several = len(base_urls)
    sent = [send_all(base_url, keys, list(asks[number::several])) for number, base_url in enumerate(base_urls)]
    return [told for some in await asyncio.gather(*sent) for told in some]


def _admin(environment: Mapping[str, str], *arguments: str) -> Any:
    """Run an operator's command; its JSON."""
    if arguments == ("list-users",):
        arguments = (*arguments, "--json")
    command = [str(BIN / "monkey-server"), "admin", *arguments]
    done = subprocess.run(
        command, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def _supplies(simulators: str) -> dict[str, str]:
    """Provider keys and addresses as an operator sets them."""
    found = {}
    for provider in PROVIDERS:
        found[f"{provider.upper()}_API_KEY"] = ",".join(f"{provider}-key-{n}" for n in range(KEYS_A_PROVIDER))
        found[f"{provider.upper()}_BASE_URL"] = simulators + BASE_PATHS[provider]
    return found


def _key(base_url: str, owner: str, **restrictions: Any) -> str:
    """A key that may ask as often as it likes."""
    body = json.dumps({"name": "traffic", "rate": 1_000_000, **restrictions}).encode()
    headers = {"authorization": f"Bearer {owner}", "content-type": "application/json"}
    key: str = _ask(f"{base_url}/v1/keys", body, headers)["key"]
    return key


def _ask(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
    """The JSON a server of ours answers; a body is posted."""
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}))  # noqa: S310 - a loopback address
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310 - a loopback address
        return json.load(reply)
