"""Whatever callers write into names, headers, addresses and paths, a record is one line that nobody but us began."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.adapters.metrics.log_format import REQUESTS, JsonLines, TextLines
from packages.server.tests.features.accounts.people import founder

HOSTILE = {
    "a line": "x\n12:00:00 INFO    key.create actor=admin",
    "a carriage return": "x\r12:00:00 ERROR   the ledger is wrong",
    "both": 'x\r\n{"time": "2026-01-01", "level": "info", "message": "fake"}',
    "a way out of JSON": '","level":"critical","message":"fake","x":"',
    "a backslash before the end": 'x\\"}\n{"level":"critical"}\\',
    "colours": "\x1b[2J\x1b[1;31mred\x1b[0m",
    "a title": "\x1b]0;owned\x07",
    "a C1 escape": "\x9b31mred",
    "backspaces": "admin\x08\x08\x08\x08\x08guest",
    "a line separator": "x\u2028fake\u2029fake",
    "other line breaks": "x\x0bfake\x0cfake\x85fake\x1cfake\x1dfake\x1efake",
    "a turned direction": "x\u202etxt.exe\u2066",
    "a NUL": "x\x00fake",
    "a lone surrogate": "x\ud800fake",
    "a placeholder": "%s %d %(levelname)s {0} {record}",
}
STARTED = re.compile(r"\d\d:\d\d:\d\d (DEBUG|INFO|WARNING|ERROR|CRITICAL) +\S")
STYLES = {"json": JsonLines, "text": TextLines}


def record_of(text: str, **fields: str) -> logging.LogRecord:
    made = logging.LogRecord(REQUESTS, logging.INFO, "f", 1, "told %s", (text,), None)
    made.fields = fields
    return made


def check(line: str, style: str) -> None:
    """One record, whoever looks at the line: an editor, a terminal, a log shipper."""
    assert line.isprintable(), line
    assert len(line.splitlines()) == 1
    line.encode()
    if style == "text":
        assert STARTED.match(line), line
    else:
        told = json.loads(line)
        assert {"time", "level", "logger", "message"} <= set(told)
        assert told["level"] != "critical"


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_value_stays_in_its_line(style: str, name: str) -> None:
    text = HOSTILE[name]
    line = STYLES[style]().format(record_of(text, value=text))
    check(line, style)
    if style == "json":
        assert (json.loads(line)["message"], json.loads(line)["value"]) == (f"told {text}", text)


@given(st.text(st.characters(exclude_categories=()), max_size=60), st.sampled_from(sorted(STYLES)))
def test_no_text_at_all_makes_a_second_line(text: str, style: str) -> None:
    check(STYLES[style]().format(record_of(text, value=text)), style)


@pytest.mark.parametrize("style", STYLES)
def test_what_an_error_says_is_no_line_of_its_own(style: str) -> None:
    made = record_of("x")
    error = ValueError("\n".join(HOSTILE.values()))
    made.exc_info = (ValueError, error, None)
    first, *others = STYLES[style]().format(made).split("\n")
    check(first, style)
    assert bool(others) is (style == "text")
    assert all(line.startswith("  ") and line.isprintable() for line in others)


@pytest.fixture
def heard(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything that is logged, from the finest on, in the style a test names."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    handler.setFormatter(STYLES[request.param]())
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def requests_of(text: str, account_id: str) -> list[dict[str, Any]]:
    """Everywhere a caller can leave words."""
    raw, where = text.encode("utf-8", "surrogatepass"), quote(text, errors="replace")
    header = raw.replace(b"\r", b"").replace(b"\n", b"").replace(b"\x00", b"")
    organization = f"/v1/organizations/{account_id}"
    person = {"email": f"{text}@example.com", "password": "several plain words together", "name": text}
    task = {"task_type": text, "prompt": text, "model": text, "task_id": text}
    named = [
        ("/v1/auth/register", person | {"email": text}),
        ("/v1/auth/register", person),
        ("/v1/auth/login", person),
        ("/v1/auth/password/forgot", {"email": text}),
        ("/v1/auth/device/authorize", {"client_name": text, "host": text}),
        ("/v1/keys", {"name": text, "models": [text], "scopes": [text]}),
        ("/v1/keys/report", {"key": text, "url": text}),
        ("/v1/organizations", {"name": text}),
        (f"{organization}/teams", {"name": text}),
        (f"{organization}/projects", {"project_id": text}),
        (f"{organization}/invitations", {"email": text, "role": text}),
        ("/v1/execute", task),
        ("/v1/execute", task | {"task_type": "custom", "model": "openai/no-such"}),
        ("/v1/chat/completions", {"model": text, "messages": [{"role": "user", "content": text}], "user": text}),
        ("/v1/messages", {"model": text, "max_tokens": 5, "messages": [{"role": text, "content": text}]}),
        ("/v1/feedback", {"request_id": text, "outcome": text}),
    ]
    said = [{"method": "POST", "url": path, "content": json.dumps(body)} for path, body in named]
    paths = [
        {"method": "GET", "url": f"/v1/keys/{where}/policy"},
        {"method": "GET", "url": f"/{where}?{where}={where}"},
    ]
    names = (b"user-agent", b"x-request-id", b"x-forwarded-for", b"x-api-key", b"authorization", b"idempotency-key")
    headed = [{"method": "GET", "url": "/v1/models", "headers": {name: header}} for name in names]
    return [*said, *paths, *headed]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("heard", STYLES, indirect=True)
@pytest.mark.parametrize("name", HOSTILE)
async def test_nothing_a_caller_says_begins_a_line(
    house: Any, heard: io.StringIO, name: str, request: pytest.FixtureRequest
) -> None:
    person, text = await founder(house), HOSTILE[name]
    customer = await house.customer()
    asked = 0
    for wish in requests_of(text, person.account_id):
        for headers in (person.headers, customer.headers):
            own = {key.encode(): value.encode() for key, value in headers.items()}
            answer = await house.client.request(**wish | {"headers": own | wish.get("headers", {})})
            assert answer.status_code != 500, (wish, answer.text)
            asked += 1
    lines = heard.getvalue().removesuffix("\n").split("\n")
    assert asked > 40
    assert len(lines) > 1
    style = request.node.callspec.params["heard"]
    for line in lines:
        check(line, style)
