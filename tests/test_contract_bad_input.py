"""Refusals that need a provider, a second account or a moment: the rows the in-process table cannot hold."""

import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conftest import RunningGateway
from tests.contract_http import TASK, Answer, Outsider, newcomer

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]
PATHS = ["/v1/execute", "/v1/execute/stream"]


@pytest.fixture
def user(gateway: RunningGateway) -> Outsider:
    return Outsider(gateway.base_url, gateway.api_key)


@pytest.fixture(scope="module")
def payer(gateway: RunningGateway) -> Outsider:
    return newcomer(gateway.base_url)


@pytest.fixture
def other(gateway: RunningGateway) -> Outsider:
    made = gateway.admin("create-user", "--email", f"{uuid.uuid4().hex}@example.com", "--credit", "1", "--json")
    return Outsider(gateway.base_url, json.loads(made)["api_key"])


def refused(answer: Answer, status: int, code: str, *, says: str) -> None:
    """It is the native error, with a sentence of one's own to print first."""
    body = answer.body
    assert (answer.status, body["error_code"]) == (status, code), body
    assert next(iter(body)) == "detail"
    assert body["detail"] == body["message"]
    assert says in body["detail"]
    assert "\n" not in body["detail"]
    assert body["status_code"] == status
    assert body["request_id"] == answer.headers["x-request-id"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What a simulator is told to do and what the caller must be told."""

    name: str
    directive: str
    model: str | None
    status: int
    code: str
    says: str
    fields: dict[str, Any] = field(default_factory=dict)


FAULTS = [
    Fault("down", "fault=503", "openai/gpt-5-nano", 502, "provider_error", "openai could not serve"),
    Fault("every candidate down", "fault=500", None, 502, "provider_error", "Tried: "),
    Fault("rate limit of the provider", "fault=429 retry_after=30", "xai/grok-3", 502, "provider_error", "rate_limit"),
    Fault("no answer in time", "fault=slow_first_byte delay=3", "openai/o3", 504, "provider_timeout", "within ",
          {"context": {"timeout": 1}}),
    Fault("refused by the provider", "fault=400", "openai/o4-mini", 502, "provider_error", "invalid_request"),
    Fault("garbage", "fault=garbage", "openai/gpt-5.1", 502, "provider_error", "openai could not"),
    Fault("cut off", "fault=reset", "openai/gpt-5.2", 502, "provider_error", "openai"),
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_providers_failure_is_told_and_not_charged(payer: Outsider, fault: Fault, path: str) -> None:
    before = payer.get("/v1/billing/balance").body
    prompt = f"a [[sandbox {fault.directive}]]"
    answer = payer.task(path, prompt=prompt, model=fault.model, **fault.fields)
    refused(answer, fault.status, fault.code, says=fault.says)
    after = payer.get("/v1/billing/balance").body
    assert (after["balance_usd"], after["held_usd"]) == (before["balance_usd"], "0.00")


def test_another_accounts_things_do_not_exist_for_a_caller(user: Outsider, other: Outsider) -> None:
    done = user.task()
    refused(other.get(f"/v1/billing/receipts/{done.headers['x-monkey-receipt']}"), 404, "not_found", says="no receipt")
    outcome = {"request_id": done.body["execution_id"], "outcome": "accepted"}
    refused(other.post("/v1/feedback", outcome), 404, "not_found", says="No served request of this account")
    quote = user.task("/v1/quote").body["quote_id"]
    refused(other.task(quote_id=quote), 404, "not_found", says="POST /v1/quote")
    key = user.post("/v1/keys", {"name": "mine"}).body["key_id"]
    refused(other.send("DELETE", f"/v1/keys/{key}"), 404, "not_found", says="GET /v1/keys")
    refused(other.post(f"/v1/keys/{key}/rotate", {}), 404, "not_found", says="GET /v1/keys")
    assert other.task(task_id="shared-id").body["execution_id"] != user.task(task_id="shared-id").body["execution_id"]


def test_a_quote_holds_for_the_very_same_body_only(user: Outsider) -> None:
    quote = user.task("/v1/quote").body["quote_id"]
    refused(user.task(quote_id=quote, prompt="other"), 400, "invalid_request", says="this very body")


@pytest.mark.parametrize("path", PATHS)
def test_a_task_id_is_bound_to_its_body_and_to_one_run_at_a_time(user: Outsider, path: str) -> None:
    slow = {**TASK, "task_id": f"slow-{path}", "prompt": "a [[sandbox fault=slow_first_byte delay=0.8]]"}
    answers: list[Answer] = []
    first = threading.Thread(target=lambda: answers.append(user.post(path, slow)))
    first.start()
    time.sleep(0.3)
    second = user.post(path, slow)
    first.join()
    assert answers[0].status == 200
    if second.status != 200:  # either it is told to wait, or it waited itself and got the same answer
        refused(second, 409, "request_in_progress", says="")
        assert 0 < int(second.headers["retry-after"]) <= 60
    refused(user.post(path, {**slow, "prompt": "b"}), 422, "idempotency_conflict", says="another")


def test_a_cap_that_is_reached_names_itself_and_what_is_left(user: Outsider) -> None:
    key = user.post("/v1/keys", {"name": "capped", "caps": {"day_usd": "0.0000001"}}).body["key"]
    answer = Outsider(user.base_url, key).task()
    refused(answer, 402, "budget_exceeded", says="per day")
    assert answer.headers["x-should-retry"] == "false"
    assert answer.body["limit_usd"] == "0.0000001"


def test_json_without_a_content_type_is_read_as_json(user: Outsider) -> None:
    answer = user.send("POST", "/v1/execute", json.dumps(TASK).encode(), headers={"Content-Type": ""})
    assert answer.status == 200


def test_a_body_that_stops_short_or_lies_about_its_length_does_no_harm(user: Outsider) -> None:
    refused(
        user.post("/v1/execute", b'{"task_type": "chat", "prompt": "hel'), 400, "invalid_request", says="breaks off"
    )
    headers = {"Content-Length": "99999999999"}
    refused(user.send("POST", "/v1/execute", b"{}", headers=headers), 413, "request_too_large", says="33554432 bytes")
    assert user.task().status == 200
