"""What goes wrong at a provider, as rules of the simulators."""

import asyncio
import json
import urllib.request
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

MODELS: Mapping[str, str] = MappingProxyType(
    {
        "openai": "gpt-4.1-mini",
        "anthropic": "claude-haiku-4-5",
        "google": "gemini-2.5-flash",
        "groq": "llama-3.3-70b-versatile",
        "xai": "grok-3-mini",
        "perplexity": "sonar",
        "moonshot": "kimi-k2.6",
    }
)
"""A model of each provider."""
FLAPPING = "flapping"
KINDS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "down": {"fault": "reset"},
        "slow": {"fault": "slow_first_byte", "delay": 8.0},
        "429": {"fault": "429"},
        "garbage": {"fault": "garbage"},
        FLAPPING: {"fault": "503"},
    }
)
PERIOD = 1.0
"""Seconds a provider works before its trouble; a flapping one fails as long and works as long by turns."""


async def trouble(simulators: str, provider: str, kind: str) -> None:
    """Bring a provider in trouble after a moment, until cancelled; then it is well again."""
    rules = [{"provider": provider, **KINDS[kind]}]
    await asyncio.sleep(PERIOD)
    try:
        while True:
            await asyncio.to_thread(script, simulators, rules)
            await asyncio.sleep(PERIOD)
            if kind == FLAPPING:
                await asyncio.to_thread(script, simulators, [])
                await asyncio.sleep(PERIOD)
    finally:
        script(simulators, [])


def script(simulators: str, rules: Sequence[Mapping[str, Any]]) -> None:
    """Give the simulators their rules."""
    body = json.dumps({"rules": list(rules)}).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(f"{simulators}/__sandbox/script", data=body, headers=headers)  # noqa: S310 - a loopback address
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310 - a loopback address
        reply.read()
