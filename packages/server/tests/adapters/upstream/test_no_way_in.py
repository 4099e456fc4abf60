"""A name that does not resolve, TLS that does not come about: nothing was sent, and the failure says why."""

import socket
from pathlib import Path

import pytest

from monkey_coder_server.adapters.upstream import HttpUpstream
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.ports.provider import WireRequest
from monkey_coder_server.ports.upstream import Deadlines, UpstreamFailed
from packages.server.tests.adapters.upstream.doors import DOORS, door

pytestmark = pytest.mark.system

REQUEST = WireRequest("/chat", {"content-type": "application/json"}, b"{}")
SHORT = Deadlines(connect=0.3, first_byte=5.0, idle=1.0, total=5.0)
SAID = {
    "untrusted certificate": "The certificate of groq is not valid",
    "handshake refused": "groq does not agree on TLS: sslv3 alert handshake failure.",
    "handshake cut": "Cannot connect to groq",
    "no TLS": "groq does not agree on TLS: wrong version number.",
    "silent handshake": "No connection to groq within 0.3 s.",
}


async def failure_of(client: HttpUpstream, url: str) -> ProviderFailure:
    with pytest.raises(UpstreamFailed) as caught:
        await client.send("groq", url, REQUEST, SHORT)
    return caught.value.failure


@pytest.mark.parametrize("kind", DOORS)
async def test_tls_that_does_not_come_about_is_a_connection_failure(
    upstream: HttpUpstream, tmp_path: Path, kind: str
) -> None:
    async with door(kind, tmp_path) as there:
        failure = await failure_of(upstream, there.url)
        assert failure.kind is FailureKind.CONNECTION
        assert SAID[kind] in failure.message
        assert there.came == 1


async def test_a_name_that_does_not_resolve_is_a_connection_failure(
    upstream: HttpUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolves_to_nothing(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolves_to_nothing)
    failure = await failure_of(upstream, "https://groq.invalid")
    assert failure.kind is FailureKind.CONNECTION
    assert failure.message == "The host of groq has no address: Name or service not known."
