"""What tests of several agents share: asking for a team, and reading what it did."""

import json
from typing import Any

from monkey_coder_server.domain.errors import FailureKind
from packages.server.tests.features.inference.gateway import Answer, Gateway
from packages.server.tests.features.inference.test_branching import said, script_of, world
from packages.server.tests.features.inference.world import Script

STRATEGIES = ["sequential", "parallel", "collaborative", "hierarchical"]
DEAD = Script(before=FailureKind.CONNECTION)


async def ask(gateway: Gateway, path: str = "/v1/execute", *, team: dict[str, Any], **fields: Any) -> Answer:
    return await gateway.ask(path, monkey1_config=team, **fields)


def told(answer: Answer, path: str = "/v1/execute") -> dict[str, Any]:
    worked: dict[str, Any] = said(answer, path)["monkey1_orchestration"]
    return worked


def tasks(worked: dict[str, Any]) -> list[str]:
    return sorted(turn["task"] for turn in worked["turns"])


def prompts(gateway: Gateway) -> list[str]:
    return [json.dumps(body, ensure_ascii=False) for _, _, body, _ in gateway.wire.sent]


def disagreeing() -> Gateway:
    return world(openai="one\nway", anthropic="another\nway", google="a third\nmanner")


def alone(*texts: str, **options: Any) -> tuple[Gateway, dict[str, Any]]:
    """One model that says these, one after the other; and what pins it."""
    gateway = Gateway(**options)
    gateway.wire.play("openai", *(script_of("openai", text) for text in texts))
    return gateway, {"model": "openai/gpt-big"}
