"""What every answer of every route carries for browsers, caches and proxies."""

from typing import Any

import pytest

from monkey_coder_server.app import Application
from packages.server.tests.api.matrix.cast import filled

pytestmark = pytest.mark.asyncio(loop_scope="module")
FOR_PROGRAMS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
ON_PAGES = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
"""What a page's redirects carry, too; `web/test_pages.py` holds the rest."""
NEVER = {"access-control-allow-credentials", "server", "x-powered-by", "strict-transport-security"}
"""The last one only behind HTTPS, see `test_app.py`."""


def check(answer: Any, *, page: bool, where: str) -> None:
    """Each header once, with its value, and none that tells of our works."""
    for name, value in (ON_PAGES if page else FOR_PROGRAMS).items():
        assert answer.headers.get_list(name) == [value], (where, name)
    assert len(answer.headers.get_list("x-request-id")) == 1, where
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';"), where
    assert "frame-ancestors 'none'" in policy, where
    assert "unsafe" not in policy, where
    assert not NEVER & set(answer.headers), where


async def test_every_route_answers_with_the_same_security_headers_whoever_asks(house: Any) -> None:
    customer = await house.customer()
    application: Application = house.gateway.application
    routes = list(application.routes)
    assert len(routes) > 100
    for path, route in routes:
        for headers in ({}, customer.headers):
            body = {"json": {}} if route.method in {"POST", "PATCH", "PUT"} else {}
            answer = await house.client.request(route.method, filled(path, {}), headers=headers, **body)
            check(answer, page=route.page, where=f"{route.method} {path} -> {answer.status_code}")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/nothing"), ("PUT", "/v1/keys"), ("OPTIONS", "*"), ("HEAD", "/")]
)
async def test_what_is_not_there_answers_so_too(house: Any, method: str, path: str) -> None:
    check(await house.client.request(method, path), page=False, where=path)


@pytest.mark.parametrize(
    "value", ["gzip", "br", "zstd", "deflate", "GZIP", "gzip, identity", "identity, gzip", "x", ""]
)
@pytest.mark.parametrize("path", ["/v1/keys", "/v1/chat/completions", "/v1/messages", "/v1/execute"])
async def test_a_compressed_body_is_refused_unread(house: Any, path: str, value: str) -> None:
    customer = await house.customer()
    bomb = b"\x1f\x8b" + b"\x00" * 1000
    headers = {**customer.headers, "content-type": "application/json", "content-encoding": value}
    answer = await house.client.post(path, content=bomb, headers=headers)
    assert answer.status_code == 415, answer.text
    assert "Content-Encoding" in answer.text


@pytest.mark.parametrize("path", ["/login", "/device", "/v1/auth/device/token"])
async def test_a_compressed_form_is_refused_too(house: Any, path: str) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded", "content-encoding": "gzip"}
    assert (await house.client.post(path, content=b"a=b", headers=headers)).status_code == 415
