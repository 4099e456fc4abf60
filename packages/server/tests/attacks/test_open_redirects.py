"""No address a caller names is where a browser is sent: not by a header, not by a link, not by a form."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from monkey_coder_server.domain.native_apps import loopback_redirect
from monkey_coder_server.features.accounts.cli_login.door import following
from packages.server.tests.api.matrix.cast import filled
from packages.server.tests.attacks.conftest import Arena
from packages.server.tests.features.accounts.cli_login.test_loopback import REDIRECT, WISH
from packages.server.tests.features.accounts.persons import newcomer

pytestmark = pytest.mark.asyncio(loop_scope="module")
EVIL = "evil.example"
ADDRESSES = [
    "https://evil.example",
    "http://evil.example/device",
    "//evil.example",
    "///evil.example",
    "////evil.example/device",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/%2f/evil.example",
    "/%5cevil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\nlocation: https://evil.example",
    "\thttps://evil.example",
    " https://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "javascript:location='//evil.example'",
    "java\nscript:location='//evil.example'",
    "data:text/html,<script>location='//evil.example'</script>",
    "http://localhost:8000@evil.example",
    "http://localhost:8000.evil.example",
    "/device.evil.example",
    "/device@evil.example",
    "/device/../../evil.example",
    "/device\\@evil.example",
    "/device\x00//evil.example",
    "/devic\u0435?//evil.example",
    "/authorize/evil.example",
    "/login?next=//evil.example",
    "/\u2028/evil.example",
    "/\uff0eevil.example",
    "\uff0f\uff0fevil.example",
]
NAMES = (
    *("next", "return_to", "return_url", "returnTo", "redirect", "redirect_uri", "redirect_url", "url", "to", "target"),
    *("continue", "goto", "dest", "destination", "callback", "back", "success_url", "cancel_url", "u", "r"),
)
"""What gateways and their libraries call where to go on."""
_LEADS = re.compile(r"""(?:href|src|action|content|formaction)\s*=\s*["']([^"']*)["']""")


def leads(answer: Any) -> Iterator[str]:
    """Everywhere an answer can take a browser by itself, or by a click."""
    if "location" in answer.headers:
        yield answer.headers["location"]
    if "refresh" in answer.headers:
        yield answer.headers["refresh"]
    if answer.headers.get("content-type", "").startswith("text/html"):
        yield from _LEADS.findall(answer.text)


def check(answer: Any) -> None:
    """Each is a page of ours, or the address of a program on the browser's own computer."""
    for lead in leads(answer):
        where = urlsplit(lead.replace("\\", "/"))
        ours = not where.scheme and not where.netloc and not lead.startswith("//")
        assert ours or where.netloc == "gateway.example" or loopback_redirect(lead.partition("?")[0]), lead
        if ours and where.path == "/login":
            for wanted in parse_qs(where.query).get("next", []):
                assert following(wanted) == wanted
    assert answer.status_code < 500


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_log_in_leads_to_no_page_but_ours(address: str) -> None:
    assert following(address) == "/device"
    assert not loopback_redirect(address)


@pytest.mark.system
@pytest.mark.parametrize("arena", ["sqlite"], indirect=True)
async def test_no_page_and_no_route_takes_a_browser_elsewhere(arena: Arena) -> None:
    person, visitor = await newcomer(arena.house, "redirected@example.com"), arena.browser()
    known = arena.browser()
    await known.log_in(person.email)
    gets = [path for path, route in list(arena.house.gateway.application.routes) if route.method == "GET"]
    assert {"/login", "/device", "/authorize"} <= set(gets)
    asked = 0
    for path in gets:
        where = filled(path, {"organization_id": "acc_1", "user_id": "usr_1", "provider": "google"})
        for address in ("https://evil.example", "//evil.example", "/\\evil.example"):
            query = urlencode(dict.fromkeys(NAMES, address))
            for browser in (visitor, known):
                check(await browser.open(f"{where}?{query}"))
                asked += 1
    assert asked > 100


@pytest.mark.system
@pytest.mark.parametrize("arena", ["sqlite"], indirect=True)
async def test_forms_that_say_where_to_go_on_lead_to_pages_of_ours(arena: Arena) -> None:
    for number, address in enumerate(ADDRESSES):
        browser = arena.browser()
        page = await browser.open(f"/login?next={quote(address, errors='replace')}")
        check(page)
        assert browser.fields(page, "/login")["next"] == "/device"
        visited = browser.fields(page, "/login")
        answer = await browser.client.post(
            "/login",
            data={**visited, "email": f"nobody{number}@example.com", "password": "wrong words", "next": address},
            headers={"sec-fetch-site": "same-origin"},
        )
        check(answer)
        assert browser.fields(answer, "/login")["next"] == "/device"


@pytest.mark.system
@pytest.mark.parametrize("arena", ["sqlite"], indirect=True)
async def test_who_logs_in_or_out_ends_on_a_page_of_ours(arena: Arena) -> None:
    person = await newcomer(arena.house, "inandout@example.com")
    for address in ADDRESSES[:8]:
        browser = arena.browser()
        answer = await browser.log_in(person.email, next=address)
        assert (answer.status_code, answer.headers["location"]) == (303, "/device")
        out = await browser.send(await browser.open("/device"), "/logout", next=address)
        assert out.status_code == 303
        assert out.headers["location"] == "/login?next=%2Fdevice"


@pytest.mark.system
@pytest.mark.parametrize("arena", ["sqlite"], indirect=True)
async def test_a_code_is_taken_to_this_computer_alone(arena: Arena) -> None:
    person, browser = await newcomer(arena.house, "codes@example.com"), arena.browser()
    await browser.log_in(person.email)
    honest = await browser.open(f"/authorize?{urlencode(WISH)}")
    near = [
        "http://localhost:51234/callback",
        "https://127.0.0.1:51234/callback",
        "http://127.0.0.1:51234/callback/../x",
        "http://127.0.0.1:51234@evil.example/callback",
        "http://127.0.0.1.evil.example:51234/callback",
        "http://127.0.0.1:51234/callback?x=https://evil.example",
        "http://127.0.0.1:51234/callback#@evil.example",
        "http://127.0.0.1:51234\\@evil.example/callback",
        "http://127.1:51234/callback",
        "http://2130706433:51234/callback",
        "http://127.0.0.1:99999/callback",
        f"{REDIRECT}\r\nx: y",
        f"{REDIRECT} ",
    ]
    for address in (*near, *ADDRESSES):
        asked = await browser.open(f"/authorize?{urlencode({**WISH, 'redirect_uri': address}, errors='replace')}")
        sent = await browser.send(honest, "/authorize", answer="approve", redirect_uri=address)
        refused = await browser.send(honest, "/authorize", answer="deny", redirect_uri=address)
        for answer in (asked, sent, refused):
            assert answer.status_code == 400, address
            assert "location" not in answer.headers
            check(answer)


@pytest.mark.system
@pytest.mark.parametrize("arena", ["sqlite"], indirect=True)
async def test_what_comes_back_from_a_sign_in_elsewhere_goes_nowhere_else(arena: Arena) -> None:
    for name in NAMES:
        query = urlencode({name: "https://evil.example", "code": "c", "state": "s"})
        for path in ("/v1/auth/oauth/google/initiate", "/v1/auth/oauth/google/callback"):
            answer = await arena.house.client.get(f"{path}?{query}")
            check(answer)
            assert EVIL not in answer.text
