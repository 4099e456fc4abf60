"""No request says where the gateway connects to: a server that callers name is never spoken to."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args

import httpx2
import msgspec
import pytest

from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.sandbox import server
from monkey_coder_server.settings import load
from packages.server.tests.api.test_canary import DIALECTS, request_of

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]
NAMES = (
    "base_url",
    "api_base",
    "baseUrl",
    "endpoint",
    "url",
    "host",
    "proxy",
    "webhook_url",
    "callback_url",
    "azure_endpoint",
)
ADDRESSES = {
    "url": "where a leaked key was found: written down; or a webhook's, which is judged before it is called",
    "webhook_id": "a name",
    "authorization_url": "told, not taken",
    "verification_uri": "told, not taken",
    "verification_uri_complete": "told, not taken",
    "redirect_uri": "of a browser on its user's own machine, compared and never opened",
    "otpauth_uri": "told, not taken",
    "top_up_url": "told, not taken",
    **dict.fromkeys(("checkout_url", "payment_url", "session_url", "portal_url", "hosted_url"), "told, not taken"),
    **dict.fromkeys(("success_url", "cancel_url", "return_url"), "where a browser is sent back to, and never opened"),
}
"""Fields of bodies and answers that are addresses, each with why it is no way out."""


class Elsewhere:
    """A server that counts who comes."""

    def __init__(self) -> None:
        self.visits = 0
        self.url = ""

    async def visited(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits += 1
        writer.close()


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    there = Elsewhere()
    listening = await asyncio.start_server(there.visited, "127.0.0.1", 0)
    there.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    async with listening:
        yield there


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Any]:
    simulated = await server.start()
    given = {"OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": simulated.base_urls["openai"]}
    async with open_gateway(load(given, folder=tmp_path)) as gateway:
        made = await operator.create_user(
            gateway.books.accounts, email="a@example.com", password=None, credit=10**10, plan=None
        )
        transport = httpx2.ASGITransport(app=gateway.application)
        headers = {"authorization": f"Bearer {made.api_key}"}
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as client:
            yield gateway, client
    await simulated.close()


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_server_named_in_body_headers_or_query_is_not_spoken_to(
    house: Any, elsewhere: Elsewhere, dialect: str
) -> None:
    _, client = house
    path, body = request_of(dialect, "hello", stream=False)
    named = dict.fromkeys(NAMES, elsewhere.url)
    headers = {f"x-{name.replace('_', '-')}": elsewhere.url for name in NAMES}
    headers |= {
        "x-forwarded-host": elsewhere.url,
        "forwarded": f"host={elsewhere.url}",
        "x-original-url": elsewhere.url,
    }
    statuses = [
        (await client.post(path, json=body, headers=headers, params=named)).status_code,
        (await client.post(path, json={**body, **named}, headers=headers)).status_code,
        (await client.post(path, json={**body, "metadata": {"base_url": elsewhere.url}}, headers=headers)).status_code,
    ]
    assert statuses[0] == 200
    assert elsewhere.visits == 0


async def test_every_address_that_is_taken_or_given_is_known_not_to_be_a_way_out(house: Any) -> None:
    gateway, _ = house
    found: set[str] = set()
    seen: set[Any] = set()

    def walk(kind: Any) -> None:
        if kind in seen:
            return
        seen.add(kind)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            for field in msgspec.structs.fields(kind):
                words = set(field.encode_name.lower().replace("-", "_").split("_"))
                if words & {"url", "uri", "host", "endpoint", "base", "proxy", "webhook", "callback"}:
                    found.add(field.encode_name)
                walk(field.type)
        for argument in get_args(kind):
            walk(argument)

    for _, route in gateway.application.routes:
        walk(route.takes)
        walk(route.gives)
    assert found - {"host"} <= ADDRESSES.keys()  # `host` names the computer a command line runs on
