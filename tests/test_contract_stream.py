"""`POST /v1/execute/stream`, byte by byte, as the published clients parse it."""

import pytest

from tests.conftest import RunningGateway
from tests.contract_http import RESPONSE_KEYS, Answer, Outsider, events, newcomer

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]
AWKWARD = "naïve 日本語 🐒 a\u2028b\u2029c\u0085d\u000be\x7f"
PATH = "/v1/execute/stream"


@pytest.fixture
def user(gateway: RunningGateway) -> Outsider:
    return Outsider(gateway.base_url, gateway.api_key)


def streamed(user: Outsider, directive: str, *, model: str = "openai/gpt-4.1", path: str = PATH) -> Answer:
    return user.task(path, prompt=f"Say it [[sandbox {directive}]]", model=model)


@pytest.mark.parametrize("path", [PATH, "/api/v1/execute/stream"])
def test_a_stream_is_ascii_event_lines_from_start_to_complete(user: Outsider, path: str) -> None:
    answer = streamed(user, f"text='{AWKWARD}'", path=path)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.raw.isascii()
    assert b"[DONE]" not in answer.raw
    told = list(events(answer.raw))
    assert all(set(event) <= {"type", "data", "progress", "error"} for event in told)
    assert told[0]["type"] == "start"
    assert told[0]["data"]["execution_id"] == answer.headers["x-request-id"]
    assert [event["type"] for event in told].count("complete") == 1
    complete = told[-1]
    assert complete["type"] == "complete"
    assert set(complete["data"]) == RESPONSE_KEYS
    said = "".join(event["data"] for event in told if event["type"] == "delta")
    assert said == complete["data"]["result"]["result"] == AWKWARD


def test_lines_are_cut_where_a_unicode_line_splitter_would_cut_them_too(user: Outsider) -> None:
    text = streamed(user, f"text='{AWKWARD}'").raw.decode("latin-1")
    lines = [line for line in text.splitlines() if line]
    assert len(lines) == len(list(events(text.encode())))


def test_progress_names_the_route_and_never_carries_a_null_percentage(user: Outsider) -> None:
    answer = streamed(user, "text=hello")
    progress = [event["progress"] for event in events(answer.raw) if event["type"] == "progress"]
    assert progress
    for one in progress:
        assert isinstance(one["step"], str)
        assert isinstance(one.get("percentage", 0), (int, float))
        assert one["metadata"] == {"provider": "openai", "model": "gpt-4.1"}
    assert (answer.headers["x-monkey-provider"], answer.headers["x-monkey-model"]) == ("openai", "gpt-4.1")
    assert answer.headers["x-monkey-cache"] == "bypass"
    assert "x-ratelimit-remaining" in answer.headers


def test_the_last_event_carries_cost_and_receipt(user: Outsider) -> None:
    *_, complete = events(streamed(user, "text=hello").raw)
    metadata = complete["data"]["result"]["metadata"]
    receipt = user.get(f"/v1/billing/receipts/{metadata['receipt_id']}").body
    assert f'"{metadata["cost_usd"]}"' in receipt["body"] or metadata["cost_usd"] in receipt["body"]
    assert float(metadata["cost_usd"]) == complete["data"]["usage"]["cost_estimate"] > 0


def test_a_repeat_of_the_same_task_streams_the_same_answer_uncharged(user: Outsider) -> None:
    first = user.task(PATH, task_id="contract-stream-once")
    again = user.task(PATH, task_id="contract-stream-once")
    assert again.headers["idempotent-replayed"] == "true"
    *_, one = events(first.raw)
    *_, other = events(again.raw)
    assert one == other


def test_a_failure_before_the_first_event_is_an_http_error(user: Outsider) -> None:
    answer = streamed(user, "fault=500", model="openai/gpt-4.1-nano")
    assert (answer.status, answer.body["error_code"]) == (502, "provider_error")
    assert answer.headers["content-type"] == "application/json"


def test_a_failure_after_it_is_an_error_event_and_nothing_is_charged(gateway: RunningGateway) -> None:
    user = newcomer(gateway.base_url)
    before = user.get("/v1/billing/balance").body["balance_usd"]
    answer = streamed(user, "fault=cut after=4 text='one two three four five six seven eight nine ten' chunk=4")
    assert answer.status == 200
    told = list(events(answer.raw))
    assert [event["type"] for event in told if event["type"] in {"complete", "error"}] == ["error"]
    error = told[-1]["error"]
    assert set(error) == {"message", "code"}
    assert error["code"] == "provider_error"
    assert error["message"].endswith(".")
    assert user.get("/v1/billing/balance").body["balance_usd"] == before
