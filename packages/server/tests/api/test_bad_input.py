"""The bad-input table: what strangers send, and the status, code and sentence each row gets.

A feature adds its rows to `ROWS` (or a module of its own imports `Row` and `check`). `headers` may name the
credentials of `prepared`: `{good}` a key of full rights with credit, `{revoked}`, `{expired}`, `{narrow}` one that may
only list models, `{poor}` one of an account without credit, `{capped}` one with a spent cap,
`{choosy}` one for another model, `{session}` an access token.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from monkey_coder_server.domain import api_keys

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "several plain words together"
KEY = {"authorization": "Bearer {good}"}
JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Row:
    """One bad request and what it must get. `says` is a part of the sentence."""

    name: str
    method: str
    path: str
    status: int
    code: str
    says: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def post(name: str, path: str, body: bytes, code: str = "invalid_request", *, status: int = 400, says: str) -> Row:
    """A POST with a good key and a bad body."""
    return Row(name, "POST", path, status, code, says, body, {**KEY, **JSON})


def get(name: str, path: str, status: int, code: str, *, says: str, headers: Mapping[str, str]) -> Row:
    """A GET with bad credentials or a bad query."""
    return Row(name, "GET", path, status, code, says, None, headers)


def bad_key(name: str, secret: str, says: str) -> Row:
    """A GET with a key that must be refused."""
    headers = {"authorization": f"Bearer {secret}"}
    return get(name, "/v1/models", 401, "invalid_api_key", says=says, headers=headers)


def task(name: str, path: str, key: str, status: int, code: str, *, says: str) -> Row:
    """A good task with a key that may not have it done."""
    headers = {"authorization": f"Bearer {{{key}}}", **JSON}
    return Row(name, "POST", path, status, code, says, _TASK % b"openai/gpt-4.1-mini", headers)


def wish(name: str, field: str, code: str = "invalid_request", *, status: int = 400, says: str) -> Row:
    """A good task but for one field; the last of a repeated key counts."""
    body = b"%s,%s}" % ((_TASK % b"openai/gpt-4.1-mini")[:-1], field.encode())
    return post(name, "/v1/execute", body, code, status=status, says=says)


_TASK = b'{"task_type":"chat","prompt":"hello","model":"%s"}'
_MISTYPED = "mk-dev-0000000000000000000000000000000000ab"
_UNKNOWN = api_keys.compose("dev", b"\x01" * 32).text

ROWS = [
    # Bodies
    post("an empty body", "/v1/keys", b"", says="empty"),
    post("half an object", "/v1/keys", b'{"name": ', says="breaks off"),
    post("no JSON at all", "/v1/keys", b"name=laptop", says="not valid JSON"),
    post("a list", "/v1/keys", b"[]", says="an object, but a list"),
    post("a number", "/v1/keys", b"1", says="an object, but a whole number"),
    post("null", "/v1/keys", b"null", says="an object, but null"),
    post("two objects", "/v1/keys", b'{"name":"a"}{"name":"b"}', says="not valid JSON"),
    post("a trailing comma", "/v1/keys", b'{"name":"a",}', says="not valid JSON"),
    post("single quotes", "/v1/keys", b"{'name':'a'}", says="not valid JSON"),
    post("NaN", "/v1/keys", b'{"name":"a","rate":NaN}', says="not valid JSON"),
    post("a byte that is not UTF-8", "/v1/keys", b'{"name":"\xff"}', says="UTF-8"),
    post("UTF-16", "/v1/keys", '{"name":"a"}'.encode("utf-16"), says="byte order mark"),
    post("a byte order mark", "/v1/keys", '{"name":"a"}'.encode("utf-8-sig"), says="byte order mark"),
    post("a hundred thousand brackets", "/v1/keys", b'{"name":"a","x":' + b"[" * 100_000, says="nested too deeply"),
    post("a missing field", "/v1/keys", b"{}", says="`name` is missing"),
    post("a number for text", "/v1/keys", b'{"name":1}', says="`name` must be text"),
    post("text for a number", "/v1/keys", b'{"name":"a","rate":"9"}', says="`rate` must be a whole number"),
    post("a fraction for a whole number", "/v1/keys", b'{"name":"a","rate":1.5}', says="`rate` must be a whole number"),
    post("a number beyond all bounds", "/v1/keys", b'{"name":"a","rate":' + b"9" * 400 + b"}", says="`rate`"),
    post("text for a list", "/v1/keys", b'{"name":"a","scopes":"*"}', says="`scopes` must be a list"),
    post("a number inside a list", "/v1/keys", b'{"name":"a","models":["x",2]}', says="`models[1]` must be text"),
    post("a list for an object", "/v1/keys", b'{"name":"a","caps":[]}', says="`caps` must be an object"),
    post("the last of a repeated key", "/v1/keys", b'{"name":"a","name":""}', says="`name`"),
    post("a NUL inside text", "/v1/keys", b'{"name":"a\\u0000b"}', says="printable"),
    post("a lone surrogate", "/v1/keys", b'{"name":"\\ud800"}', says="not valid JSON"),
    Row("a form", "POST", "/v1/keys", 415, "unsupported_media_type", "must be JSON", b"name=a",
        {**KEY, "content-type": "application/x-www-form-urlencoded"}),
    Row("a compressed body", "POST", "/v1/keys", 415, "unsupported_media_type", "Compressed", b"\x1f\x8b",
        {**KEY, **JSON, "content-encoding": "gzip"}),
    post("33 MiB", "/v1/keys", b'{"name":"' + b"a" * (33 << 20) + b'"}', "request_too_large", status=413,
         says="larger than the 33554432 bytes"),
    Row("a length that lies beyond the cap", "POST", "/v1/keys", 413, "request_too_large", "larger than", b"{}",
        {**KEY, **JSON, "content-length": "99999999999"}),
    # Credentials
    get("no key", "/v1/models", 401, "not_authenticated", says="No credential", headers={}),
    get("no key under the alias", "/api/v1/models", 401, "not_authenticated", says="No credential", headers={}),
    bad_key("the word None, as one SDK sends it with an empty one beside", "mk-", "not a Monkey Coder API key"),
    bad_key("a key with a wrong checksum", _MISTYPED, "checksum"),
    bad_key("a well-formed key nobody made", _UNKNOWN, "no such API key"),
    bad_key("a revoked key", "{revoked}", "revoked"),
    bad_key("an expired key", "{expired}", "expired"),
    bad_key("another service's key", "sk-proj-abc", "neither an API key nor an access token"),
    bad_key("a key of ten thousand characters", "mk-dev-" + "a" * 10_000, "not a Monkey Coder API key"),
    bad_key("a key with SQL in it", "mk-dev-' OR 1=1 --", "not a Monkey Coder API key"),
    get("two different keys", "/v1/models", 401, "invalid_api_key", says="Two different",
        headers={**KEY, "x-api-key": _UNKNOWN}),
    get("a key in the query beside another in the header", f"/v1/models?key={_UNKNOWN}", 401, "invalid_api_key",
        says="Two different", headers=KEY),
    get("basic authentication", "/v1/models", 401, "invalid_api_key", says="Bearer",
        headers={"authorization": "Basic YTpi"}),
    get("a forged token", "/v1/models", 401, "not_authenticated", says="not valid",
        headers={"authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}),
    get("a key without the scope", "/v1/keys", 403, "forbidden", says="`keys:manage`",
        headers={"x-goog-api-key": "{narrow}"}),
    get("a key from a network it may not be used from", "/v1/models", 403, "forbidden", says="network address",
        headers={"x-api-key": "{elsewhere}"}),
    get("a forwarded address nobody vouches for", "/v1/models", 403, "forbidden", says="network address",
        headers={"x-api-key": "{elsewhere}", "x-forwarded-for": "203.0.113.9"}),
    # Places and methods
    get("an unknown route", "/v1/nothing", 404, "not_found", says="nothing at GET /v1/nothing; the API lives",
        headers=KEY),
    get("a mistyped route", "/v1/provider", 404, "not_found", says="did you mean /v1/providers?", headers=KEY),
    get("a path that climbs", "/v1/../etc/passwd", 404, "not_found", says="nothing at", headers=KEY),
    Row("a wrong method", "PUT", "/v1/keys", 405, "method_not_allowed", "it takes GET, POST", b"{}", KEY),
    Row("an invented method", "BREW", "/v1/keys", 405, "method_not_allowed", "it takes GET, POST", None, KEY),
    get("a WebSocket", "/v1/responses", 426, "upgrade_required", says="not WebSocket",
        headers={**KEY, "upgrade": "websocket", "connection": "Upgrade"}),
    get("a WebSocket without a key", "/v1/responses", 426, "upgrade_required", says="not WebSocket",
        headers={"upgrade": "websocket", "connection": "Upgrade"}),
    # Things that are not there, and queries
    get("a model nobody has", "/v1/models/gpt-99", 404, "model_not_found", says="gpt-99", headers=KEY),
    get("a provider nobody knows", "/v1/models?provider=qwen", 400, "invalid_request", says="`provider`", headers=KEY),
    get("a receipt of nobody", "/v1/billing/receipts/rcp_0", 404, "not_found", says="no receipt", headers=KEY),
    get("a date that is none", "/v1/billing/usage?start_date=soon", 400, "invalid_request", says="`start_date`",
        headers=KEY),
    get("a granularity that is none", "/v1/billing/usage?granularity=1s", 400, "invalid_request",
        says="`granularity`", headers=KEY),
    Row("a key of somebody else", "DELETE", "/v1/keys/key_0", 404, "not_found", "no key", None, KEY),
    post("a wrong password", "/v1/auth/login", b'{"email":"a@example.com","password":"x"}', "invalid_credentials",
         status=401, says="do not match"),
    post("an address that is none", "/v1/auth/register", b'{"email":"a","password":"several plain words"}',
         says="`email`"),
    post("a short password", "/v1/auth/register", b'{"email":"b@example.com","password":"short"}', says="12 to 1024"),
    post("a refresh token nobody gave", "/v1/auth/refresh", b'{"refresh_token":"x"}', "invalid_credentials",
         status=401, says="log in again"),
    # The task API, refused before any provider is called
    post("a task without a prompt", "/v1/execute", b'{"task_type":"chat"}', says="`prompt` is missing"),
    post("a task that is a list", "/v1/execute/stream", b"[]", says="an object, but a list"),
    post("a task for a model nobody has", "/v1/execute", _TASK % b"gpt-99", "model_not_found", status=404,
         says="gpt-99"),
    task("a task without credit", "/v1/execute", "poor", 402, "insufficient_credit", says="/billing"),
    task("a stream without credit", "/v1/execute/stream", "poor", 402, "insufficient_credit", says="0.00 USD"),
    task("a task beyond a key's cap", "/v1/execute", "capped", 402, "budget_exceeded", says="per day"),
    task("a task for a model the key may not use", "/v1/execute", "choosy", 403, "model_not_allowed", says="gpt-4.1"),
    task("a task with a key that may only list models", "/api/v1/execute", "narrow", 403, "forbidden",
         says="`execute`"),
    task("a task with a revoked key", "/v1/execute", "revoked", 401, "invalid_api_key", says="revoked"),
    task("a quote with an expired key", "/v1/quote", "expired", 401, "invalid_api_key", says="expired"),
    wish("an empty prompt", '"prompt":""', says="say what is to be done"),
    wish("a prompt of blanks", '"prompt":" \\n\\t "', says="`prompt` is empty"),
    wish("a prompt that is a list", '"prompt":["hello"]', says="`prompt` must be text"),
    wish("a prompt too long for every model", '"model":null,"prompt":"' + "word " * 1_500_000 + '"',
         "context_too_long", says="; send less."),
    wish("a task type that is none", '"task_type":"poetry"', says="code_generation, code_analysis"),
    wish("a persona that is none", '"persona_config":{"persona":"wizard"}', says="developer, architect"),
    wish("a persona that is a number", '"persona_config":{"persona":7}', says="`persona_config.persona` must be text"),
    wish("a preferred provider nobody knows", '"preferred_providers":["qwen"]', says="known are openai"),
    wish("a preferred model of a provider nobody knows", '"model_preferences":{"qwen":"a"}', says="known are openai"),
    wish("a preferred model its provider has not", '"model_preferences":{"openai":"gpt-99"}', "model_not_found",
         status=404, says="gpt-99"),
    wish("a model of a provider without a key", '"model":"claude-sonnet-4-5"', "model_not_found", status=404,
         says="claude-sonnet-4-5"),
    wish("a temperature below zero", '"context":{"temperature":-0.1}', says="between 0 and 2, but -0.1"),
    wish("a temperature that is NaN", '"context":{"temperature":NaN}', says="not valid JSON"),
    wish("a temperature beyond all floats", '"context":{"temperature":1e999}', says="send a smaller one"),
    wish("a negative token limit", '"context":{"max_tokens":-5}', says="between 1 and 10000000, but -5"),
    wish("half a token", '"context":{"max_tokens":0.5}', says="`context.max_tokens` must be a whole number"),
    wish("no time at all", '"context":{"timeout":0}', says="between 1 and 3600, but 0"),
    wish("more time than there is", '"context":{"timeout":86400}', says="between 1 and 3600"),
    wish("a context that is text", '"context":"here"', says="`context` must be an object or null"),
    wish("a file without content", '"files":[{"path":"a.py"}]', says="`files[0].content` is missing"),
    wish("a thousand files and one", '"files":[' + '{"path":"a","content":""},' * 1_000 + '{"path":"b","content":""}]',
         says="at most 1000"),
    wish("too many agents", '"monkey1_config":{"agent_count":9}', says="between 1 and 8"),
    wish("agents who work as nobody knows", '"monkey1_config":{"coordination_strategy":"x"}', says="hierarchical"),
    wish("a way of collapsing that is none", '"orchestration_config":{"collapse_strategy":"x"}', says="first_success"),
    wish("weights below zero", '"weights":{"cost":-1}', says="The field `weights` must weigh quality, cost"),
    wish("weights of nothing", '"weights":{"speed":1}', says="at least one above 0"),
    wish("a weight that is text", '"weights":{"cost":"high"}', says="`weights.cost` must be a number"),
    wish("an amount that is none", '"max_cost":"cheap"', says="write it like 12.50"),
    wish("a negative amount", '"max_cost":"-1"', says="negative"),
    wish("an amount nothing can be had for", '"max_cost":"0.000001"', "budget_exceeded", status=402,
         says="raise max_cost"),
    wish("a task id that is empty", '"task_id":""', says="`task_id` must be 1 to 200 printable characters"),
    wish("a quote nobody gave", '"quote_id":"quote_0"', "not_found", status=404, says="POST /v1/quote"),
    Row("an idempotency key of a kilobyte", "POST", "/v1/execute", 400, "invalid_request", "`Idempotency-Key`",
        _TASK % b"openai/gpt-4.1-mini", {**KEY, **JSON, "idempotency-key": "k" * 1024}),
    Row("weights in a header that are none", "POST", "/v1/execute", 400, "invalid_request", "quality=1,cost=0.3",
        _TASK % b"openai/gpt-4.1-mini", {**KEY, **JSON, "x-mk-weights": "speed=1"}),
    Row("a task by GET", "GET", "/v1/execute", 405, "method_not_allowed", "it takes POST", None, KEY),
    post("feedback on a request nobody sent", "/v1/feedback", b'{"request_id":"req_0","outcome":"accepted"}',
         "not_found", status=404, says="request"),
    post("feedback with an outcome that is none", "/v1/feedback", b'{"request_id":"req_0","outcome":"fine"}',
         says="one of accepted, rejected, tests_passed, tests_failed"),
]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def prepared(house: Any) -> AsyncIterator[Mapping[str, str]]:
    """Credentials by the names rows use."""
    customer = await house.customer()
    keys = house.gateway.books.storage.keys
    revoked, expired = await house.key_of(customer, scopes=["*"]), await house.key_of(customer)
    records = [record for record in await keys.list(customer.account_id) if record.name == "test"]
    now = house.gateway.books.clock.now()
    await keys.revoke(customer.account_id, records[0].key_id, now)
    fresh = house.gateway.books.accounts.mint_key()
    past = now - timedelta(days=1)
    await keys.create(replace(records[1], key_id="key_past", digest=fresh.digest, expires_at=past))
    body = {"email": "person@example.com", "password": PASSWORD}
    session = (await house.client.post("/v1/auth/register", json=body)).json()["access_token"]
    assert revoked != expired
    yield {
        "good": customer.api_key,
        "revoked": revoked,
        "expired": fresh.secret,
        "narrow": await house.key_of(customer, scopes=["models:read"]),
        "elsewhere": await house.key_of(customer, ip_allow=["203.0.113.0/24"]),
        "capped": await house.key_of(customer, caps={"day_usd": "0.000000001"}),
        "choosy": await house.key_of(customer, models=["openai/gpt-5"]),
        "poor": (await house.customer(usd=0)).api_key,
        "session": session,
    }


async def check(house: Any, row: Row, prepared: Mapping[str, str]) -> None:
    """Send the row; the answer must be the native error the contract promises."""
    headers = {name: value.format(**prepared) for name, value in row.headers.items()}
    answer = await house.client.request(row.method, row.path, content=row.body, headers=headers)
    error = answer.json()
    assert (answer.status_code, error["error_code"]) == (row.status, row.code), error
    assert row.says in error["detail"]
    assert error["detail"] == error["message"]
    assert error["detail"][0].isupper() or error["detail"].startswith("/")
    assert error["detail"].endswith((".", "?")) or error["detail"].rpartition(" ")[2].startswith("http")
    assert len(error["detail"]) < 400
    assert error["status_code"] == row.status
    assert error["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["content-type"] == "application/json"
    if row.status in {401, 402}:
        assert answer.headers["x-should-retry"] == "false"
    for secret in prepared.values():
        assert secret not in answer.text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_bad_input_gets_its_status_code_and_one_helpful_sentence(
    row: Row, house: Any, prepared: Mapping[str, str]
) -> None:
    await check(house, row, prepared)


async def test_the_table_is_as_long_as_it_must_be() -> None:
    assert len(ROWS) >= 100
    assert len({row.name for row in ROWS}) == len(ROWS)
