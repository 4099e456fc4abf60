"""A report under an idempotency key is counted once, and repeating it takes no later report back."""

import pytest

from tests.conftest import RunningGateway
from tests.contract_http import Outsider

pytestmark = pytest.mark.system
TASK = {"task_type": "documentation", "model": "openai/gpt-4.1-mini"}


def test_a_repeated_report_gets_the_first_reply_and_counts_no_more(gateway: RunningGateway) -> None:
    user = Outsider(gateway.base_url, gateway.api_key)
    served = [user.send("POST", "/v1/execute", TASK | {"prompt": prompt}) for prompt in ("one", "two")]
    one, two = [answer.body["execution_id"] for answer in served]
    report, key = {"request_id": one, "outcome": "accepted"}, {"Idempotency-Key": "a report"}
    first = user.send("POST", "/v1/feedback", report, headers=key)
    assert first.status == 200
    user.send("POST", "/v1/feedback", report | {"outcome": "rejected"})
    repeated = user.send("POST", "/v1/feedback", report, headers=key)
    assert repeated.body == first.body
    assert repeated.headers["idempotent-replayed"] == "true"
    last = user.send("POST", "/v1/feedback", {"request_id": two, "outcome": "rejected"}).body
    assert last["reports"] == first.body["reports"] + 1
    told = first.body["mean_score"] * first.body["reports"]
    assert last["mean_score"] == pytest.approx((told - 1) / last["reports"], abs=1e-3)
