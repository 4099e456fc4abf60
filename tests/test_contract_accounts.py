"""Accounts, keys and money as each published client reads them, over raw HTTP."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import RunningGateway
from tests.contract_http import Outsider, newcomer

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]
PASSWORD = "several plain words together"
USER_FIELDS = {"id", "email", "name", "credits", "subscription_tier", "is_developer", "roles"}
PUBLISHED_CLI = {"User-Agent": "monkey-coder-cli/1.6.0", "Accept": "application/json"}


@pytest.fixture
def stranger(gateway: RunningGateway) -> Outsider:
    return Outsider(gateway.base_url)


@pytest.fixture
def user(gateway: RunningGateway) -> Outsider:
    return Outsider(gateway.base_url, gateway.api_key)


def registered(stranger: Outsider, path: str = "/v1/auth/register") -> tuple[dict[str, str], dict[str, Any]]:
    account = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD}
    answer = stranger.post(path, {**account, "name": "Newcomer", "plan": "pro", "username": "ignored"})
    assert answer.status == 200, answer.raw
    return account, answer.body


@pytest.mark.parametrize("path", ["/v1/auth/register", "/v1/auth/signup", "/api/v1/auth/signup"])
def test_a_newcomer_gets_tokens_and_trial_credit_but_no_paid_plan(stranger: Outsider, path: str) -> None:
    account, body = registered(stranger, path)
    assert body["access_token"].count(".") == 2
    assert body["refresh_token"]
    assert set(body["user"]) >= USER_FIELDS
    assert (body["user"]["email"], body["user"]["name"]) == (account["email"], "Newcomer")
    assert (body["user"]["credits"], body["user"]["credit_usd"]) == (500, "5.00")
    assert (body["user"]["subscription_tier"], body["user"]["is_developer"]) == ("prepaid", False)
    again = stranger.post(path, account)
    assert (again.status, again.body["error_code"]) == (409, "conflict")


def test_login_refresh_and_logout_of_a_session(stranger: Outsider) -> None:
    account, _ = registered(stranger)
    body = stranger.post("/v1/auth/login", account).body
    assert "api_key" not in body
    person = Outsider(stranger.base_url, body["access_token"])
    status = person.get("/v1/auth/status").body
    assert status["authenticated"] is True
    assert datetime.fromisoformat(status["session_expires"]) > datetime.now(UTC)
    renewed = stranger.post("/api/v1/auth/refresh", {"refresh_token": body["refresh_token"]}).body
    assert renewed["refresh_token"] != body["refresh_token"]
    assert Outsider(stranger.base_url, renewed["access_token"]).post("/v1/auth/logout", {}).status == 200
    assert person.get("/v1/models").status == 401


def test_a_command_line_gets_a_long_lived_key_where_it_looks_for_one(stranger: Outsider) -> None:
    account, _ = registered(stranger)
    ours = stranger.post("/v1/auth/login", {**account, "client": "cli"}).body
    assert ours["api_key"].startswith("mk-dev-")
    assert ours["access_token"].count(".") == 2
    published = stranger.post("/api/v1/auth/login", account, headers=PUBLISHED_CLI).body
    key = published["access_token"]
    assert key.startswith("mk-dev-")
    assert isinstance(published["user"]["credits"], int)
    status = Outsider(stranger.base_url, key).get("/api/v1/auth/status").body
    assert status["authenticated"] is True
    assert status["user"]["email"] == account["email"]
    logout = stranger.post("/api/v1/auth/logout", {}, headers={**PUBLISHED_CLI, "Authorization": f"Bearer {key}"})
    assert isinstance(logout.body["message"], str)
    assert Outsider(stranger.base_url, key).get("/v1/models").status == 401


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer None"}], ids=["nothing", "the SDK without a key"])
def test_an_anonymous_caller_is_told_so_with_200(stranger: Outsider, headers: dict[str, str]) -> None:
    answer = stranger.send("GET", "/api/v1/auth/status", headers=headers)
    assert (answer.status, answer.body) == (200, {"authenticated": False, "user": None, "session_expires": None})


def test_keys_are_made_shown_once_listed_rotated_and_revoked(user: Outsider) -> None:
    wish = {"name": "rotated", "scopes": ["models:read"], "models": ["openai/gpt-4.1"], "caps": {"day_usd": "1.50"},
            "rate": 30, "ip_allow": ["127.0.0.0/8"], "expires_days": 7}  # fmt: skip
    made = user.post("/v1/keys", wish).body
    assert {"key", "key_id", "name", "prefix"} <= set(made)
    beginning, _, end = made["prefix"].partition("...")
    assert made["key"].startswith(beginning)
    assert made["key"].endswith(end)
    assert len(beginning + end) <= 16
    shown = next(key for key in user.get("/v1/auth/keys").body["keys"] if key["key_id"] == made["key_id"])
    assert made["key"] not in str(shown)
    assert {name: shown[name] for name in ("scopes", "models", "rate")} == {
        "scopes": ["models:read"], "models": ["openai/gpt-4.1"], "rate": 30
    }  # fmt: skip
    assert shown["caps"] == {"day_usd": "1.50"}
    ends = datetime.fromisoformat(shown["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=6, hours=23) < ends <= timedelta(days=7)
    narrow = Outsider(user.base_url, made["key"])
    assert narrow.get("/v1/models").status == 200
    assert narrow.task().status == 403
    fresh = user.post(f"/v1/keys/{made['key_id']}/rotate", {}).body["key"]
    assert narrow.get("/v1/models").status == 401
    assert Outsider(user.base_url, fresh).get("/v1/models").status == 200
    current = next(
        key for key in user.get("/v1/keys").body["keys"] if key["name"] == "rotated" and key["status"] == "active"
    )
    assert user.send("DELETE", f"/v1/keys/{current['key_id']}").status == 200
    refused = Outsider(user.base_url, fresh).get("/v1/models")
    assert (refused.status, refused.body["error_code"]) == (401, "invalid_api_key")


def test_usage_answers_both_published_field_sets_with_cents_and_dollars(stranger: Outsider) -> None:
    account, body = registered(stranger)
    person = Outsider(stranger.base_url, body["access_token"])
    done = person.task(persona_config={"persona": "tester"})
    cost = done.body["usage"]["cost_estimate"]
    today = datetime.now(UTC).date()
    query = f"startDate={today - timedelta(days=1)}&endDate={today}&granularity=daily"
    usage = person.get(f"/api/v1/billing/usage?{query}").body
    assert usage["period"]["start_date"].startswith(str(today - timedelta(days=1)))
    summary = usage["summary"]
    assert summary["total_requests"] == usage["total_requests"] == 1
    assert summary["total_tokens"] == usage["total_tokens"] == done.body["usage"]["tokens_used"]
    assert usage["total_cost"] == pytest.approx(cost)
    assert summary["total_cost"] == pytest.approx(cost * 100)
    assert summary["credits_remaining"] == pytest.approx(500 - cost * 100)
    (model,) = usage["by_model"]
    assert set(model) >= {"provider", "model", "requests", "input_tokens", "output_tokens", "total_tokens", "cost"}
    assert model["cost"] == pytest.approx(cost * 100)
    (agent,) = usage["by_agent"]
    assert (agent["agent_name"], agent["requests"]) == ("tester", 1)
    assert agent["avg_cost_per_request"] == pytest.approx(cost * 100)
    (day,) = usage["daily_usage"]
    assert (day["date"], day["requests"], day["cost"]) == (str(today), 1, pytest.approx(cost * 100))
    (provider,) = usage["provider_breakdown"]
    assert set(provider) >= {"provider", "model_usage", "total_tokens", "total_requests", "total_cost",
                             "average_latency", "error_rate"}  # fmt: skip
    assert {"api_key_hash", "execution_stats", "rate_limit_status", "cost_trends", "performance_metrics"} <= set(usage)
    assert account["email"] not in str(usage)


def test_the_published_sdks_query_is_understood_and_an_empty_period_is_no_error(user: Outsider) -> None:
    sdk = user.get("/v1/billing/usage?granularity=daily&include_details=False")
    assert sdk.status == 200
    assert "details" not in sdk.body
    detailed = user.get("/v1/billing/usage?start_date=2020-01-01&end_date=2020-01-31&include_details=True").body
    assert (detailed["by_model"], detailed["daily_usage"], detailed["details"]) == ([], [], [])


def test_balance_and_receipts_are_decimal_strings_of_this_account_only(stranger: Outsider) -> None:
    user = newcomer(stranger.base_url)
    done = user.task()
    balance = user.get("/api/v1/billing/balance").body
    assert balance["available_usd"] == balance["balance_usd"]
    assert balance["held_usd"] == "0.00"
    assert balance["top_up_url"].endswith("/billing")
    receipt_id = done.headers["x-monkey-receipt"]
    receipt = user.get(f"/v1/billing/receipts/{receipt_id}").body
    assert set(receipt) == {"receipt_id", "body", "signature", "key_id", "chain_hash"}
    assert receipt["key_id"] in stranger.get("/.well-known/monkey-receipts.json").body["keys"]
    _, other = registered(stranger)
    foreign = Outsider(stranger.base_url, other["access_token"]).get(f"/v1/billing/receipts/{receipt_id}")
    assert (foreign.status, foreign.body["error_code"]) == (404, "not_found")


def test_a_rate_limit_says_when_to_come_back(user: Outsider) -> None:
    slow = Outsider(user.base_url, user.post("/v1/keys", {"name": "slow", "rate": 1}).body["key"])
    assert slow.task().headers["x-ratelimit-remaining"] == "0"
    refused = slow.task()
    assert (refused.status, refused.body["error_code"]) == (429, "rate_limited")
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert (refused.headers["x-ratelimit-limit"], refused.headers["x-ratelimit-remaining"]) == ("1", "0")


def test_an_empty_wallet_is_refused_with_balance_limit_and_where_to_top_up(
    gateway: RunningGateway, stranger: Outsider
) -> None:
    made = gateway.admin("create-user", "--email", f"{uuid.uuid4().hex}@example.com", "--credit", "0", "--json")
    poor = Outsider(stranger.base_url, json.loads(made)["api_key"])
    refused = poor.task()
    assert (refused.status, refused.body["error_code"]) == (402, "insufficient_credit")
    assert refused.headers["x-should-retry"] == "false"
    assert "retry-after" not in refused.headers
    assert "0.00 USD" in refused.body["detail"]
    assert refused.body["top_up_url"] in refused.body["detail"]
    page = stranger.get("/billing")
    assert (page.status, page.headers["content-type"]) == (200, "text/plain; charset=utf-8")
