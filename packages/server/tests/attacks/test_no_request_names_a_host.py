"""The gateway opens connections to the providers its operator set, whatever addresses a request holds.

The one address that is called because a customer gave it, a webhook's, is called later, and only if it is public.
"""

import re
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import httpx2
import msgspec
import pytest
import pytest_asyncio

from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.sandbox import server
from monkey_coder_server.settings import load

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.system]
PROVIDERS = ("openai", "anthropic", "google")
_HOSTS = """
127.0.0.1 127.1 0 0.0.0.0 2130706433 017700000001 0177.0.0.1 0x7f000001 0x7f.0.0.1 127.0.0.1. 127.0.0.01
localhost LOCALHOST localhost. localhost.localdomain ip6-localhost [::1] [::] [0:0:0:0:0:0:0:1]
[::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [fe80::1] [fd00::1]
[::1%25lo] 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.254 192.168.0.1 100.64.0.1 169.254.169.254 2852039166
0xa9fea9fe 0251.0376.0251.0376 [::ffff:169.254.169.254] [fd00:ec2::254] 169.254.170.2 168.63.129.16
100.100.100.200 metadata.google.internal metadata instance-data.ec2.internal kubernetes.default.svc
7f000001.0a000001.rbnd.gl.example 127.0.0.1.nip.example localtest.me.example a.example@127.0.0.1
127.0.0.1@a.example 127.0.0.1%23@a.example a.example%2f@127.0.0.1 evil.example xn--lcalhost-e4a.example
"""
URLS = [
    *[f"http://{host}:9/latest/meta-data/" for host in _HOSTS.split()],
    "https://127.0.0.1:9/",
    "http://\u2460\u2461\u2466.0.0.1:9/",
    "http://\uff11\uff12\uff17.0.0.1:9/",
    "https://evil.example/redirect?to=http://169.254.169.254/",
    "file:///etc/passwd",
    "ftp://127.0.0.1:9/",
    "gopher://127.0.0.1:9/_x",
    "dict://127.0.0.1:9/",
    "unix:///var/run/docker.sock",
    "//evil.example/a.png",
    "http:\\\\127.0.0.1:9\\a",
    "jar:http://evil.example!/",
]
_EXTRA = ("base_url", "api_base", "endpoint", "webhook", "callback_url", "proxy", "host", "upstream")
_HEADERS = ("x-forwarded-host", "x-original-url", "x-base-url", "x-upstream", "destination", "x-portkey-custom-host")
NAMED_ON_PURPOSE: dict[str, str] = {
    "redirect_uri": "where the browser is sent on, a loopback address of the command line",
    "host": "the name of the computer that a key is for, shown to people",
    "url": "where a leaked key was found, kept for the audit trail; and where a webhook is posted to, which is judged "
    "when it is set and each time it is used (tests/adapters/webhooks, domain/test_public_addresses)",
    **dict.fromkeys(
        ("success_url", "cancel_url", "return_url"),
        "where the payment processor's page sends the browser back to, an address of the operator's own list",
    ),
}
"""Fields that hold an address or look so; none of them is ever called."""
_LIKE_AN_ADDRESS = re.compile(r"ur[li]|host|endpoint|webhook|callback|base|proxy|origin", re.IGNORECASE)


@dataclass
class Watched:
    """Where this process connected and what it looked up, as Python's own audit events tell it."""

    on: bool = False
    places: set[Any] = field(default_factory=set)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.on and event == "socket.connect":
            self.places.add(arguments[1][:2])
        elif self.on and event in {"socket.getaddrinfo", "socket.gethostbyname"}:
            self.places.add(arguments[0])


@dataclass
class Outlook:
    client: httpx2.AsyncClient
    headers: dict[str, str]
    simulator: tuple[str, int]


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    watch = Watched()
    sys.addaudithook(watch.hear)  # for good: hooks cannot be taken off, so it is switched
    yield watch
    watch.on = False


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outlook(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outlook]:
    simulated = await server.start()
    given = {"RATE_LIMIT_PER_MINUTE": "100000000"}
    for name in PROVIDERS:
        given |= {f"{name.upper()}_API_KEY": "sk-1", f"{name.upper()}_BASE_URL": simulated.base_urls[name]}
    async with open_gateway(load(given, folder=tmp_path_factory.mktemp("hosts"))) as gateway:
        made = await operator.create_user(
            gateway.books.accounts, email="a@example.com", password=None, credit=10**12, plan=None
        )
        transport = httpx2.ASGITransport(app=gateway.application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            place = httpx2.URL(simulated.base_urls["openai"])
            assert place.port is not None
            yield Outlook(client, {"authorization": f"Bearer {made.api_key}"}, (place.host, place.port))
    await simulated.close()


def bodies(url: str, *, everywhere: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Requests of each dialect with the address where its format has one; `everywhere`, where it has none, too."""
    chat = [{"type": "image_url", "image_url": {"url": url}}, {"type": "file_url", "file_url": {"url": url}}]
    responses = [{"type": "input_image", "image_url": url}, {"type": "input_file", "file_url": url}]
    messages = [{"type": kind, "source": {"type": "url", "url": url}} for kind in ("image", "document")]
    gemini = [{"text": "Look"}, {"fileData": {"mimeType": "image/png", "fileUri": url}}]
    task = {"task_type": "code_generation", "prompt": f"Read {url}", "files": [{"path": "a.md", "content": url}]}
    mini, anthropic = {"model": "openai/gpt-4.1-mini"}, {"model": "anthropic/claude-sonnet-4-5", "max_tokens": 9}
    plain = [
        *[("/v1/chat/completions", mini | {"messages": [{"role": "user", "content": [part]}]}) for part in chat],
        *[("/v1/responses", mini | {"input": [{"role": "user", "content": [part]}]}) for part in responses],
        *[("/v1/messages", anthropic | {"messages": [{"role": "user", "content": [part]}]}) for part in messages],
        ("/v1beta/models/google/gemini-2.5-flash:generateContent", {"contents": [{"role": "user", "parts": gemini}]}),
        ("/v1/moderations", {"model": "omni-moderation-latest", "input": [chat[0]]}),
        ("/v1/execute", task | mini),
        ("/v1/keys", {"name": "a"}),
        ("/v1/billing/webhooks", {"url": url}),
    ]
    yield from plain
    if everywhere:
        yield from ((path, body | dict.fromkeys(_EXTRA, url)) for path, body in plain)


async def test_no_address_in_a_request_is_ever_connected_to_or_looked_up(outlook: Outlook, watched: Watched) -> None:
    assert len(URLS) >= 60
    statuses: dict[str, set[int]] = {}
    watched.on = True
    for url in URLS:
        named = {} if not url.isascii() else dict.fromkeys(_HEADERS, url)
        for path, body in bodies(url, everywhere=url in URLS[::10]):
            answer = await outlook.client.post(path, json=body, headers={**outlook.headers, **named})
            statuses.setdefault(path, set()).add(answer.status_code)
            assert answer.status_code < 500 or answer.status_code == 502, (path, url, answer.text)
    watched.on = False
    assert outlook.simulator in watched.places, "the watch sees connections that are made"
    assert watched.places <= {outlook.simulator, outlook.simulator[0]}
    for path in ("/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/execute"):
        assert 200 in statuses[path], statuses


def fields_of(kind: Any, seen: set[Any]) -> Iterator[str]:
    """Names of the fields of a struct and of those inside it."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind not in seen:
        seen.add(kind)
        for each in msgspec.structs.fields(kind):
            yield each.encode_name
            yield from fields_of(each.type, seen)
    for inner in get_args(kind):
        yield from fields_of(inner, seen)


async def test_no_body_has_a_field_for_an_address_that_we_would_call(outlook: Outlook) -> None:
    application: Any = outlook.client._transport.app  # type: ignore[attr-defined] # the composed one
    names = {
        name for _, route in application.routes if route.takes is not None for name in fields_of(route.takes, set())
    }
    assert "max_tokens" in names
    assert {name for name in names if _LIKE_AN_ADDRESS.search(name)} <= set(NAMED_ON_PURPOSE)


async def test_only_adapters_that_judge_where_they_speak_to_open_connections() -> None:
    import monkey_coder_server

    source = Path(monkey_coder_server.__file__).parent
    opening = re.compile(r"\b(aiohttp|urllib\.request|http\.client|create_connection|open_connection|aiosmtplib)\b")
    found = {
        str(file.relative_to(source).parts[0:2])
        for file in source.rglob("*.py")
        if "sandbox" not in file.parts and opening.search(file.read_text(encoding="utf-8"))
    }
    allowed = [("adapters", name) for name in ("invoices", "mail", "metrics", "oidc", "redis", "upstream", "webhooks")]
    assert found <= {str(parts) for parts in allowed}
