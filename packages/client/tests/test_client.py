"""The sync and the async client do the same; every test runs on both."""

import inspect
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from monkey_coder import (
    AsyncClient,
    AuthenticationError,
    Client,
    ConfigurationError,
    CreateKeyRequest,
    ExecuteRequest,
    FileData,
    NetworkError,
    RateLimitError,
    RequestTimeoutError,
    ResponseFormatError,
    ResponseInfo,
    RetryNotice,
    RetryPolicy,
    RoutingWeights,
)
from monkey_coder._accounts import AsyncAuth, AsyncKeys, Auth, Keys
from monkey_coder._factors import AsyncMfa, Mfa
from monkey_coder._organizations import AsyncOrganizations, Organizations
from monkey_coder.async_client import AsyncStream
from monkey_coder.client import Stream
from packages.client.tests.driver import BASE
from packages.client.tests.fake_gateway import (
    ANSWER,
    KEY,
    Answer,
    FakeGateway,
    error,
    reply,
)


@pytest.mark.parametrize(
    ("call", "method", "path"),
    [
        (lambda c: c.health(), "GET", "/health"),
        (lambda c: c.models(), "GET", "/v1/models"),
        (lambda c: c.providers(), "GET", "/v1/providers"),
        (lambda c: c.capabilities(), "GET", "/v1/capabilities"),
        (lambda c: c.usage(), "GET", "/v1/billing/usage"),
        (lambda c: c.balance(), "GET", "/v1/billing/balance"),
        (lambda c: c.quote("x"), "POST", "/v1/quote"),
        (lambda c: c.router_debug("x"), "POST", "/v1/router/debug"),
        (lambda c: c.execute("x"), "POST", "/v1/execute"),
        (lambda c: c.stream("x").final(), "POST", "/v1/execute/stream"),
        (lambda c: c.feedback("r", "accepted"), "POST", "/v1/feedback"),
        (lambda c: c.keys.list(), "GET", "/v1/keys"),
        (lambda c: c.keys.create("ci"), "POST", "/v1/keys"),
        (lambda c: c.keys.revoke("a/b"), "DELETE", "/v1/keys/a/b"),
        (lambda c: c.auth.register("a@b.c", "pw"), "POST", "/v1/auth/register"),
        (lambda c: c.auth.login("a@b.c", "pw"), "POST", "/v1/auth/login"),
        (lambda c: c.auth.verify_mfa("token", "123456"), "POST", "/v1/auth/mfa/verify"),
        (lambda c: c.mfa.status(), "GET", "/v1/auth/mfa"),
        (lambda c: c.mfa.enroll_totp(), "POST", "/v1/auth/mfa/totp/enroll"),
        (lambda c: c.mfa.confirm_totp("123456"), "POST", "/v1/auth/mfa/totp/confirm"),
        (lambda c: c.mfa.disable_totp(confirmation="proof"), "DELETE", "/v1/auth/mfa/totp"),
        (lambda c: c.mfa.new_recovery_codes(confirmation="proof"), "POST", "/v1/auth/mfa/recovery-codes"),
        (lambda c: c.mfa.confirm("keys", password="pw"), "POST", "/v1/auth/confirm"),
        (lambda c: c.auth.forgot_password("a@b.c"), "POST", "/v1/auth/password/forgot"),
        (lambda c: c.auth.change_password("old", "new"), "POST", "/v1/auth/password/change"),
        (lambda c: c.auth.sessions(), "GET", "/v1/auth/sessions"),
        (lambda c: c.auth.end_session("ses_there"), "DELETE", "/v1/auth/sessions/ses_there"),
        (lambda c: c.auth.end_sessions(this_one=False), "POST", "/v1/auth/logout/all"),
        (lambda c: c.auth.begin_device_login(host="box"), "POST", "/v1/auth/device/authorize"),
        (lambda c: c.auth.poll_device_login("code"), "POST", "/v1/auth/device/token"),
        (
            lambda c: c.auth.redeem_code("code", verifier="v", redirect_uri="http://127.0.0.1:1/callback"),
            "POST",
            "/v1/auth/authorize/token",
        ),
        (lambda c: c.auth.refresh("r"), "POST", "/v1/auth/refresh"),
        (lambda c: c.auth.logout(), "POST", "/v1/auth/logout"),
        (lambda c: c.auth.status(), "GET", "/v1/auth/status"),
    ],
)
def test_each_method_asks_its_route_with_key_and_idempotency_key(
    connect: Callable[..., Any], gateway: FakeGateway, call: Callable[[Any], Any], method: str, path: str
) -> None:
    call(connect())
    (seen,) = gateway.seen
    assert (seen.method, seen.path) == (method, path)
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert ("idempotency-key" in seen.headers) == (method == "POST")
    assert seen.headers["user-agent"].startswith("monkey-coder/")


def test_receipts_and_their_keys(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    receipt = {"receipt_id": "r/1", "body": "{}", "signature": "", "key_id": "k", "chain_hash": ""}
    gateway.on("/v1/billing/receipts/r/1", reply(receipt))
    gateway.on("/.well-known/monkey-receipts.json", reply({"keys": {"k": "AA=="}}))
    client = connect()
    assert client.receipts("r/1").key_id == "k"
    assert client.receipt_keys().keys == {"k": "AA=="}


def test_a_task_says_all_it_was_told_and_nothing_else(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    connect().execute(
        "do it",
        task_type="testing",
        files=[FileData("a.py", "x = 1", "python")],
        persona="tester",
        instructions="be brief",
        model="auto:cheap",
        providers=["openai"],
        max_cost=Decimal("0.50"),
        max_tokens=100,
        temperature=0.2,
        timeout=60,
        session_id="s",
        task_id="t",
        quote_id="q",
        weights=RoutingWeights(quality=1, cost=0.3),
        collapse="vote",
        branches=5,
        agents=4,
        coordination="parallel",
        reflections=2,
    )
    assert gateway.seen[0].body == {
        "task_type": "testing",
        "prompt": "do it",
        "task_id": "t",
        "files": [{"path": "a.py", "content": "x = 1", "type": "python"}],
        "context": {"session_id": "s", "timeout": 60, "max_tokens": 100, "temperature": 0.2},
        "persona_config": {"persona": "tester", "custom_instructions": "be brief"},
        "preferred_providers": ["openai"],
        "model": "auto:cheap",
        "max_cost": "0.50",
        "quote_id": "q",
        "weights": {"quality": 1, "cost": 0.3},
        "orchestration_config": {"collapse_strategy": "vote", "execution_branches": 5},
        "monkey1_config": {
            "agent_count": 4,
            "coordination_strategy": "parallel",
            "enable_reflection": True,
            "max_iterations": 2,
        },
    }
    assert gateway.seen[0].headers["idempotency-key"] == "t"


def test_a_whole_request_is_sent_as_it_is_but_gets_a_task_id(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    connect().execute(ExecuteRequest(task_type="chat", prompt="x"))
    body = gateway.seen[0].body
    assert len(body.pop("task_id")) == 36
    assert body == {"task_type": "chat", "prompt": "x"}


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"branches": 2}, {"orchestration_config": {"execution_branches": 2}}),
        ({"collapse": "single"}, {"orchestration_config": {"collapse_strategy": "single"}}),
        ({"coordination": "sequential"}, {"monkey1_config": {"coordination_strategy": "sequential"}}),
        ({"reflections": 1}, {"monkey1_config": {"enable_reflection": True, "max_iterations": 1}}),
        ({"reflections": 0}, {}),
        ({"agents": 3, "reflections": 0}, {"monkey1_config": {"agent_count": 3}}),
        ({"weights": RoutingWeights(latency=2)}, {"weights": {"latency": 2}}),
    ],
)
def test_several_models_agents_and_weights_are_asked_for_only_as_said(
    connect: Callable[..., Any], gateway: FakeGateway, options: dict[str, Any], sent: dict[str, Any]
) -> None:
    connect().quote("x", task_id="t", **options)
    body = gateway.seen[0].body
    assert {name: body[name] for name in ("weights", "monkey1_config", "orchestration_config") if name in body} == sent


@pytest.mark.parametrize("max_cost", ["lots", "-1", "NaN"])
def test_an_amount_that_is_none_is_refused_before_sending(
    connect: Callable[..., Any], gateway: FakeGateway, max_cost: str
) -> None:
    with pytest.raises(ConfigurationError, match="not an amount"):
        connect().execute("x", max_cost=max_cost)
    with pytest.raises(ConfigurationError, match="not both"):
        connect().execute(ExecuteRequest(task_type="chat", prompt="x"), model="m")
    assert gateway.seen == []


def test_queries_leave_out_what_was_not_said(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    client = connect()
    client.usage(start="2026-11-01", granularity="daily", include_details=True)
    client.models(provider="groq")
    assert gateway.seen[0].query == {"start_date": "2026-11-01", "granularity": "daily", "include_details": "true"}
    assert gateway.seen[1].query == {"provider": "groq"}


def test_a_restricted_key_is_asked_for_with_its_limits(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    made = connect().keys.create(CreateKeyRequest(name="ci", models=["m"], expires_days=3))
    assert gateway.seen[0].body == {"name": "ci", "models": ["m"], "expires_days": 3}
    assert made.key == KEY


def test_usage_numbers_are_decimals(connect: Callable[..., Any]) -> None:
    assert connect().usage()["total_cost"] == Decimal("0.00246")


@pytest.mark.parametrize(
    "failure", [error(503, "unavailable"), error(429, "rate_limited", retry_after="0"), Answer(cut=True, pieces=())]
)
def test_a_retry_repeats_the_same_task_and_key(
    connect: Callable[..., Any], gateway: FakeGateway, failure: Answer
) -> None:
    notices: list[RetryNotice] = []
    gateway.on("/v1/execute", failure, failure)
    found = connect(on_retry=notices.append).execute("x")
    assert found.text == ANSWER
    assert [notice.attempt for notice in notices] == [1, 2]
    assert len({seen.headers["idempotency-key"] for seen in gateway.seen}) == 1
    assert len({seen.body["task_id"] for seen in gateway.seen}) == 1
    assert len(gateway.seen) == 3


def test_after_the_last_retry_the_error_is_raised(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    gateway.on("/v1/execute", *[error(429, "rate_limited", retry_after="0")] * 9)
    with pytest.raises(RateLimitError) as caught:
        connect().with_options(max_retries=1).execute("x")
    assert caught.value.retry_after == 0
    assert len(gateway.seen) == 2


def test_a_refused_key_is_not_tried_twice(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    gateway.on("/v1/execute", error(401, "invalid_api_key", x_should_retry="false"))
    with pytest.raises(AuthenticationError) as caught:
        connect().execute("x")
    assert (caught.value.status, caught.value.request_id) == (401, "req_err")
    assert len(gateway.seen) == 1


def test_the_total_time_bounds_waiting_and_reading(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    gateway.on("/v1/models", error(429, "rate_limited", retry_after="50"))
    with pytest.raises(RateLimitError):
        connect(timeout=10).models()
    with pytest.raises(RequestTimeoutError, match="within 0 s"):
        connect().with_options(timeout=0).models()
    assert len(gateway.seen) == 1


def test_every_answer_is_told_to_the_observer(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    infos: list[ResponseInfo] = []
    gateway.on("/v1/execute", error(503, "unavailable"))
    connect(on_response=infos.append).execute("x")
    assert [(info.path, info.status, info.model) for info in infos] == [
        ("/v1/execute", 503, None),
        ("/v1/execute", 200, "gpt-5-mini"),
    ]


def test_a_redirect_is_not_followed_with_the_key(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    gateway.on("/v1/models", Answer(307, {"location": "http://elsewhere.test/"}, ()))
    with pytest.raises(ResponseFormatError, match="HTTP 307"):
        connect().models()
    assert len(gateway.seen) == 1


def test_an_endless_answer_is_refused(
    connect: Callable[..., Any], gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monkey_coder._options.MAX_ANSWER_BYTES", 10)
    with pytest.raises(ResponseFormatError, match="longer than 10 bytes"):
        connect().models()


@pytest.mark.parametrize("key", ["a b", "schlüssel", "x\ny"])
def test_a_key_that_cannot_be_sent_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match="characters that no key has"):
        Client(api_key=key, base_url=BASE)


def test_the_key_is_not_in_the_clients_words(connect: Callable[..., Any]) -> None:
    with Client(api_key=KEY, base_url=BASE) as client:
        assert KEY not in f"{client!r} {client._options!r}"


def test_a_client_takes_its_defaults_from_the_environment(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONKEY_CODER_API_KEY", KEY)
    monkeypatch.setenv("MONKEY_CODER_BASE_URL", "https://gw.example/v1")
    with Client() as client:
        assert client.base_url == "https://gw.example"
        assert client._options.api_key == KEY


def test_a_broken_transport_is_a_network_error() -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        message = "refused"
        raise httpx2.ConnectError(message, request=request)

    http = httpx2.Client(transport=httpx2.MockTransport(refuse))
    with (
        http,
        Client(api_key=KEY, base_url=BASE, http_client=http, retry=RetryPolicy(base_delay=0)) as client,
        pytest.raises(NetworkError, match=r"Cannot reach http://gateway\.test: refused"),
    ):
        client.health()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Client, AsyncClient),
        (Stream, AsyncStream),
        (Keys, AsyncKeys),
        (Auth, AsyncAuth),
        (Mfa, AsyncMfa),
        (Organizations, AsyncOrganizations),
    ],
)
def test_the_twins_have_the_same_methods_and_parameters(one: type, other: type) -> None:
    def surface(kind: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(member).parameters)
            for name, member in vars(kind).items()
            if not name.startswith("_") and callable(member)
        }

    assert surface(one) == surface(other)
