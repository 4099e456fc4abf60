"""Which other sites' scripts may read our answers: those that are listed, letter by letter."""

import ast
from pathlib import Path

import pytest

import monkey_coder_server
from monkey_coder_server.web.cors import ALLOWED_HEADERS, Cors

ORIGIN = b"https://app.example.com"
CORS = Cors(frozenset({ORIGIN.decode(), "http://localhost:3000"}), {"POST", "GET"})
NOT_OF_SCRIPTS = frozenset(
    {"accept", "content-encoding", "content-length", "cookie", "host", "origin", "sec-fetch-site", "stripe-signature"}
    | {"user-agent"}
)
"""What a browser sends by itself or lets any script send, what only pages and the payment processor's calls carry, and
a body's encoding, which is refused."""
READERS = frozenset({"request.header", "headers.get", "request.headers.get"})


def answer_to(origin: bytes, *, asks: bool = False) -> dict[bytes, bytes]:
    headers = [(b"origin", origin)]
    if asks:
        headers.append((b"access-control-request-method", b"POST"))
    scope = {"headers": headers}
    if not asks:
        return dict(CORS.headers(scope))
    preflight = CORS.preflight(scope)
    return {} if preflight is None else dict(preflight.headers)


@pytest.mark.parametrize(
    "origin",
    [
        b"null",
        b"*",
        b"",
        b"https://app.example.com.evil.example",
        b"https://evil-app.example.com",
        b"https://evil.example?https://app.example.com",
        b"https://app.example.com@evil.example",
        b"https://app.example.com:443",
        b"https://app.example.com:8443",
        b"https://app.example.com/",
        b"https://app.example.com ",
        b"https://app.example.com,https://evil.example",
        b"https://app.example.com\x00",
        b"http://app.example.com",
        b"https://sub.app.example.com",
        b"https://example.com",
        b"https://APP.example.com",
        b"https://appXexample.com",
        b"http://localhost:3001",
        b"http://localhost",
        b"file://",
        b"chrome-extension://abc",
    ],
)
def test_an_origin_that_is_not_listed_letter_by_letter_is_told_nothing(origin: bytes) -> None:
    assert answer_to(origin) == {b"vary": b"origin"}
    assert answer_to(origin, asks=True) == {}


def test_two_origins_in_one_request_are_judged_by_the_first_alone() -> None:
    scope = {"headers": [(b"origin", b"https://evil.example"), (b"origin", ORIGIN)]}
    assert dict(CORS.headers(scope)) == {b"vary": b"origin"}


def test_a_listed_origin_may_read_answers_but_never_with_cookies() -> None:
    headers = answer_to(ORIGIN)
    assert headers[b"access-control-allow-origin"] == ORIGIN
    assert headers[b"vary"] == b"origin"
    assert b"x-monkey-cost" in headers[b"access-control-expose-headers"]
    assert b"access-control-allow-credentials" not in headers | answer_to(ORIGIN, asks=True)


def test_a_preflight_is_told_the_methods_that_routes_take_and_the_headers_that_are_read() -> None:
    preflight = answer_to(ORIGIN, asks=True)
    assert preflight[b"access-control-allow-methods"] == b"GET, POST"
    assert preflight[b"access-control-allow-headers"].decode().split(", ") == list(ALLOWED_HEADERS)
    assert b"*" not in b"".join(preflight.values())


def test_a_question_without_a_method_is_no_preflight() -> None:
    assert CORS.preflight({"headers": [(b"origin", ORIGIN)]}) is None


def test_without_listed_origins_there_is_no_cross_origin_answer_at_all() -> None:
    assert Cors(frozenset(), {"GET"}).headers({"headers": [(b"origin", ORIGIN)]}) == []


def test_every_header_that_the_code_reads_of_programs_may_be_sent_by_scripts() -> None:
    assert headers_read() - NOT_OF_SCRIPTS <= set(ALLOWED_HEADERS)
    assert {"authorization", "x-mk-organization", "x-mk-confirmation", "idempotency-key"} <= headers_read()


def headers_read() -> set[str]:
    """Names a request is asked for where requests are read, and what constants named …HEADER hold there."""
    found: set[str] = set()
    source = Path(monkey_coder_server.__file__).parent
    for file in (*source.glob("web/*.py"), *source.glob("features/**/*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in READERS:
                found |= words(node.args[:1])
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).rstrip(")").endswith("HEADER"):
                found |= words([node.value])
    return found


def words(nodes: list[ast.expr]) -> set[str]:
    """The header names among literals: lower case, no blanks."""
    texts = [each.value for node in nodes for each in ast.walk(node) if isinstance(each, ast.Constant)]
    return {text for text in texts if isinstance(text, str) and text.replace("-", "").isalnum()}
