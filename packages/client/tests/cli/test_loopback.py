"""The listener that a browser brings a login's answer to."""

import http.client
from urllib.parse import urlsplit

import pytest

from monkey_coder.cli.loopback import Listener

pytestmark = pytest.mark.system
STATE = "s" * 32


def bring(listener: Listener, path: str, **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(listener.redirect_uri).netloc, timeout=5)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer


def test_the_answer_with_the_right_state_is_taken_once() -> None:
    with Listener(STATE) as listener:
        assert bring(listener, f"/callback?code=abc&state={STATE}").status == 200
        assert bring(listener, f"/callback?code=other&state={STATE}").status == 400
        assert listener.wait(5) == {"code": "abc", "state": STATE}


def test_a_refusal_is_an_answer() -> None:
    with Listener(STATE) as listener:
        assert bring(listener, f"/callback?error=access_denied&state={STATE}").status == 403
        assert listener.wait(5) == {"error": "access_denied", "state": STATE}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/callback?code=abc", 400),
        ("/callback?code=abc&state=", 400),
        (f"/callback?code=abc&state={STATE[:-1]}t", 400),
        ("/callback?code=abc&state=%C3%A9", 400),
        (f"/callback?state={STATE}", 400),
        (f"/?code=abc&state={STATE}", 404),
        (f"/callback/x?code=abc&state={STATE}", 404),
        ("/favicon.ico", 404),
    ],
)
def test_anything_else_is_turned_away_and_the_login_waits_on(path: str, status: int) -> None:
    with Listener(STATE) as listener:
        assert bring(listener, path).status == status
        assert listener.wait(0.01) is None
        assert bring(listener, f"/callback?code=abc&state={STATE}").status == 200


def test_a_name_that_points_here_is_not_this_address() -> None:
    with Listener(STATE) as listener:
        assert bring(listener, f"/callback?code=abc&state={STATE}", Host="rebound.example").status == 400
        assert listener.wait(0.01) is None


def test_it_listens_on_this_computer_alone_and_its_page_loads_nothing() -> None:
    with Listener(STATE) as listener:
        assert urlsplit(listener.redirect_uri).hostname == "127.0.0.1"
        answer = bring(listener, "/nothing")
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
