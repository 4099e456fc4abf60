"""A client whose connection broke asks again, over real sockets: one answer, one charge."""

import http.client
import json
import uuid
from typing import Any
from urllib.parse import urlsplit

import anthropic
import pytest

from tests.conftest import RunningGateway
from tests.contract_http import Outsider

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]

SLOW = "say something [[sandbox output_tokens=200 tokens_per_second=400]]"
MODELS = ["claude-haiku-4-5", "gpt-4.1-mini", "gemini-2.5-flash"]


class Asking:
    """One conversation of Claude Code's kind."""

    def __init__(self, gateway: RunningGateway, model: str) -> None:
        self.user = Outsider(gateway.base_url, gateway.api_key)
        self.gateway = gateway
        self.session = {"x-claude-code-session-id": str(uuid.uuid4())}
        self.body = {"model": model, "max_tokens": 900, "messages": [{"role": "user", "content": SLOW}]}

    def charges(self) -> int:
        requests: int = self.user.get("/v1/billing/usage").body["total_requests"]
        return requests

    def cut_a_stream(self) -> None:
        """Begin to read a stream and hang up."""
        connection = http.client.HTTPConnection(urlsplit(self.gateway.base_url).netloc, timeout=30)
        headers = {**self.session, "x-api-key": self.gateway.api_key, "content-type": "application/json"}
        body = json.dumps({**self.body, "stream": True}, separators=(",", ":"))
        connection.request("POST", "/v1/messages", body, headers)
        reply = connection.getresponse()
        assert reply.status == 200
        assert b"message_start" in reply.read(400)
        connection.close()

    def sdk(self) -> anthropic.Anthropic:
        return anthropic.Anthropic(
            base_url=self.gateway.base_url,
            api_key=self.gateway.api_key,
            max_retries=0,
            default_headers=self.session,
        )

    def whole(self) -> Any:
        with self.sdk() as client:
            return client.messages.with_raw_response.create(**self.body)  # type: ignore[arg-type] - a plain body


@pytest.mark.parametrize("model", MODELS)
def test_the_whole_that_is_asked_for_after_a_cut_stream_is_the_same_answer(gateway: RunningGateway, model: str) -> None:
    asking = Asking(gateway, model)
    before = asking.charges()
    asking.cut_a_stream()
    first = asking.whole()
    assert first.headers["idempotent-replayed"] == "true"
    assert len(first.parse().content[0].text) > 200
    assert asking.charges() == before + 1
    asking.session = {"x-claude-code-session-id": str(uuid.uuid4())}
    other = asking.whole()
    assert "idempotent-replayed" not in other.headers
    assert other.headers["x-monkey-receipt"] != first.headers["x-monkey-receipt"]
    assert asking.charges() == before + 2


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_that_is_asked_for_again_is_complete(gateway: RunningGateway, model: str) -> None:
    asking = Asking(gateway, model)
    before = asking.charges()
    asking.cut_a_stream()
    with asking.sdk() as client, client.messages.stream(**asking.body) as stream:  # type: ignore[arg-type] - a plain body
        message = stream.get_final_message()
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens >= 200
    assert asking.charges() == before + 1
