"""The official SDK as a reader: what it makes of our bytes, with no socket between."""

from typing import Any

import anthropic
import httpx2

ASKED: dict[str, Any] = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}


def client(status: int, body: bytes, headers: dict[str, str]) -> anthropic.Anthropic:
    """A client every request of which is answered so."""
    transport = httpx2.MockTransport(lambda _: httpx2.Response(status, content=body, headers=headers))
    return anthropic.Anthropic(
        api_key="k", base_url="http://gateway.test", max_retries=0, http_client=httpx2.Client(transport=transport)
    )


def read_whole(body: bytes) -> dict[str, Any]:
    """A message that is not streamed."""
    answered = client(200, body, {"content-type": "application/json"}).messages.create(**ASKED)
    return _plain(answered)


def read_stream(body: bytes) -> dict[str, Any]:
    """The final message of a stream, by the SDK's own accumulator."""
    with client(200, body, {"content-type": "text/event-stream; charset=utf-8"}).messages.stream(**ASKED) as stream:
        return _plain(stream.get_final_message())


def _plain(message: Any) -> dict[str, Any]:
    plain: dict[str, Any] = message.to_dict(warnings=False)
    for block in plain["content"]:
        block.pop("parsed_output", None)
    return plain
