"""What the simulators were sent can be read back, without credentials and within bounds."""

from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from monkey_coder_server.sandbox.received import LARGEST, REMEMBERED, Inbox
from monkey_coder_server.sandbox.server import RunningSandbox
from packages.server.tests.sandbox.simulating import MODELS


@pytest.mark.system
async def test_a_request_is_told_as_it_came_until_a_reset(
    sandbox: RunningSandbox, client: ClientSession, url_of: Callable[..., str]
) -> None:
    body = {"model": MODELS["groq"], "messages": [{"role": "user", "content": "hé"}], "temperature": 0.3}
    await client.post(url_of("groq"), json=body)
    control = f"http://{sandbox.host}:{sandbox.port}/__sandbox"
    told = await (await client.get(f"{control}/requests")).json()
    assert [(one["provider"], one["path"], one["body"]) for one in told["requests"]] == [
        ("groq", "/groq/openai/v1/chat/completions", body)
    ]
    assert "authorization" not in told["requests"][0]["headers"]
    await client.post(f"{control}/reset")
    assert (await (await client.get(f"{control}/requests")).json()) == {"requests": []}


def test_only_the_last_requests_and_only_bodies_of_sensible_size_are_kept() -> None:
    inbox = Inbox()
    for number in range(REMEMBERED + 5):
        inbox.add("openai", f"/{number}", {"X-Api-Key": "sk-1", "X-Other": "kept"}, b"[1]")
    inbox.add("openai", "/large", {}, b'"' + b"a" * LARGEST + b'"')
    inbox.add("openai", "/garbage", {}, b"\xff")
    told: list[dict[str, Any]] = inbox.document()["requests"]
    assert len(told) == REMEMBERED
    assert told[0] == {"provider": "openai", "path": "/7", "headers": {"x-other": "kept"}, "body": [1]}
    assert [(one["path"], one["body"]) for one in told[-2:]] == [("/large", None), ("/garbage", None)]
