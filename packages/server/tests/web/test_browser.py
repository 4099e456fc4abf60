"""Cookies and forms where browsers are reached over plain HTTP, as in development."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

import pytest

from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.domain.errors import Forbidden
from monkey_coder_server.ports.accounts import Session, Sessions
from monkey_coder_server.ports.clock import Ids
from monkey_coder_server.web.browser import TOKEN_FIELD, BrowserParts, Browsers
from packages.server.tests.web.asked import asked

SITE = "http://localhost:8000"


class KeptSessions:
    """Sessions in memory: the part of the port that browsers use."""

    def __init__(self) -> None:
        self.kept: dict[str, Session] = {}

    async def open(self, session: Session) -> None:
        self.kept[session.session_id] = session

    async def find(self, session_id: str) -> Session | None:
        return self.kept.get(session_id)

    async def of_user(self, user_id: str, at: datetime) -> Sequence[Session]:
        raise AssertionError(user_id, at)


def browsers(base_url: str = SITE) -> Browsers:
    parts = BrowserParts(
        cast("Sessions", KeptSessions()),
        SystemClock(),
        Ids(lambda kind: f"{kind}_1"),
        lambda text: f"keyed {text}",
        lambda: "r" * 43,
    )
    return Browsers(parts, base_url=base_url)


async def test_in_development_cookies_travel_over_plain_http_and_are_named_without_the_prefix() -> None:
    made = browsers()
    _, cookie = await made.open(asked("POST", "/login"), "usr_1")
    assert cookie.header[1].decode() == f"mk_session=ses_1.{'r' * 43}; Path=/; HttpOnly; SameSite=Lax; Max-Age=43200"
    found = await made.session(asked("GET", "/device", headers={"cookie": f"a=b; mk_session={cookie.value}; c=d"}))
    assert found is not None
    assert found.user_id == "usr_1"
    assert found.created_at is not None
    assert found.created_at <= datetime.now(UTC)


async def test_a_cookie_under_the_name_of_development_is_nothing_in_production() -> None:
    made = browsers("https://gateway.example")
    _, cookie = await made.open(asked("POST", "/login"), "usr_1")
    for name, known in (("mk_session", False), ("__Host-mk_session", True)):
        found = await made.session(asked("GET", "/device", headers={"cookie": f"{name}={cookie.value}"}))
        assert (found is not None) is known


@pytest.mark.parametrize(
    ("headers", "fits"),
    [
        ({}, True),
        ({"origin": "null"}, True),
        ({"origin": SITE, "host": "localhost:8000"}, True),
        ({"origin": "http://localhost:9000", "host": "localhost:8000"}, False),
        ({"origin": "http://evil.example", "host": "localhost:8000"}, False),
        ({"origin": SITE, "host": "localhost:8000", "sec-fetch-site": "cross-site"}, False),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, True),
    ],
    ids=str,
)
def test_a_form_with_its_token_is_taken_unless_the_browser_says_it_is_from_elsewhere(
    headers: dict[str, str], *, fits: bool
) -> None:
    made = browsers()
    token, (cookie,) = made.visit(asked("GET", "/login"))
    sent = asked("POST", "/login", headers={"cookie": cookie[1].decode().partition(";")[0], **headers})
    if fits:
        made.check_form(sent, {TOKEN_FIELD: token})
    else:
        with pytest.raises(Forbidden, match="not sent from a page"):
            made.check_form(sent, {TOKEN_FIELD: token})


def test_a_form_without_a_cookie_is_not_taken() -> None:
    made = browsers()
    token, _ = made.visit(asked("GET", "/login"))
    with pytest.raises(Forbidden):
        made.check_form(asked("POST", "/login"), {TOKEN_FIELD: token})


def test_a_browser_with_a_cookie_gets_the_same_token_and_no_further_cookie() -> None:
    made = browsers()
    token, (cookie,) = made.visit(asked("GET", "/login"))
    held = {"cookie": cookie[1].decode().partition(";")[0]}
    assert made.visit(asked("GET", "/login", headers=held)) == (token, ())
