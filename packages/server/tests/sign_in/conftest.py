"""A gateway that trusts a simulated provider, as a generic one and as GitHub."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.settings import load
from packages.server.tests.conftest import House
from packages.server.tests.sign_in.simulator import CLIENT_ID, CLIENT_SECRET, Simulator, running


@dataclass(frozen=True, slots=True)
class Trusting:
    """The gateway and its provider. `transport` leads to the gateway."""

    house: House
    provider: Simulator
    transport: httpx2.ASGITransport


@pytest.fixture
async def trusting(tmp_path: Path) -> AsyncIterator[Trusting]:
    async with running() as provider:
        given = {
            "OIDC_GENERIC_ISSUER": provider.issuer,
            "OIDC_GENERIC_CLIENT_ID": CLIENT_ID,
            "OIDC_GENERIC_CLIENT_SECRET": CLIENT_SECRET,
            "OIDC_GITHUB_CLIENT_ID": CLIENT_ID,
            "OIDC_GITHUB_CLIENT_SECRET": CLIENT_SECRET,
        }
        async with open_gateway(load(given, folder=tmp_path)) as gateway:
            transport = httpx2.ASGITransport(app=gateway.application)
            async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
                yield Trusting(House(gateway, client), provider, transport)
