"""The frame all pages share: its headers are a contract with browsers, word for word."""

import base64
import re
from hashlib import sha256

import pytest

from monkey_coder_server.domain.errors import NotFound, RateLimited
from monkey_coder_server.web.pages import Pages, see_other
from monkey_coder_server.web.respond import Response

PAGES = Pages("monkey_coder_server.features.accounts.cli_login")


def header(response: Response, name: bytes) -> str:
    (value,) = [found.decode() for known, found in response.headers if known == name]
    return value


def test_a_page_says_what_a_browser_may_do_with_it() -> None:
    page = PAGES.show("answered.html", approved=True)
    policy = header(page, b"content-security-policy")
    style = re.search(rb"<style>(.*?)</style>", page.body, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(sha256(style[1]).digest()).decode()
    assert {name.decode(): value.decode() for name, value in page.headers} == {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
        "content-security-policy": policy,
    }
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


def test_a_page_loads_nothing_and_runs_nothing() -> None:
    body = PAGES.show("answered.html", approved=False).body.decode()
    assert not re.search(r"<script|<link|<img|<iframe| on\w+=|javascript:|url\(|@import|https?://", body)


@pytest.mark.parametrize("nasty", ["<script>alert(1)</script>", '"><b onx="', "{{ 7 * 7 }}", "'"])
def test_every_value_is_escaped(nasty: str) -> None:
    page = PAGES.problem(NotFound(nasty), "req_1").body.decode()
    assert "<script>" not in page
    assert '"><b' not in page
    assert "49" not in page.partition("<main>")[2]


def test_a_further_target_of_a_form_is_named_alone() -> None:
    page = PAGES.show("answered.html", approved=True, sends_to="http://127.0.0.1:9")
    assert "form-action 'self' http://127.0.0.1:9;" in header(page, b"content-security-policy")


def test_an_error_is_a_page_with_its_status() -> None:
    slow = PAGES.problem(RateLimited("Too many tries.", retry_after=12.2), "req_9")
    assert (slow.status, header(slow, b"retry-after")) == (429, "12")
    assert "Too many tries." in slow.body.decode()
    assert "req_9" in slow.body.decode()
    assert PAGES.problem(NotFound("Nothing."), "req_1").status == 404


def test_a_browser_is_sent_on_by_get_without_a_body() -> None:
    sent = see_other("/device", [(b"set-cookie", b"a=b")])
    assert (sent.status, sent.body, header(sent, b"location")) == (303, b"", "/device")
    assert header(sent, b"cache-control") == "no-store"
    assert header(sent, b"set-cookie") == "a=b"
