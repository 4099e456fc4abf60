"""The cost APIs as their simulators serve them: pages, admin keys, other shapes, outages."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from monkey_coder_server.adapters.invoices import amounts
from monkey_coder_server.adapters.invoices.anthropic_costs import AnthropicCosts
from monkey_coder_server.adapters.invoices.openai_costs import OpenAICosts
from monkey_coder_server.domain.errors import InvalidRequest, ProviderFailed
from monkey_coder_server.sandbox import server
from monkey_coder_server.sandbox.exchange import Usage
from monkey_coder_server.sandbox.tally import Entry

pytestmark = pytest.mark.system
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIRST, LAST = date(2026, 10, 1), date(2026, 11, 30)
"""More days than a page has."""


def entry(provider: str, model: str, days_ago: int, usage: Usage) -> Entry:
    return Entry(
        serial=1,
        provider=provider,
        model=model,
        answer_id="a",
        request_id=f"r{days_ago}",
        status=200,
        outcome="served",
        stream=False,
        fault="",
        usage=usage,
        cost_nanos=1,
        began=NOW - timedelta(days=days_ago),
        at=NOW - timedelta(days=days_ago),
    )


@pytest_asyncio.fixture
async def simulators() -> AsyncIterator[server.RunningSandbox]:
    running = await server.start(priced_at=NOW, now=lambda: NOW)
    usage = Usage(uncached=100, cache_read=40, output=10, reasoning=5, searches=0)
    for days_ago in (0, 45):
        running.tally.add(entry("openai", "gpt-4o-mini", days_ago, usage))
        running.tally.add(entry("anthropic", "claude-haiku-4-5", days_ago, usage))
    yield running
    await running.close()


async def test_openai_is_read_page_by_page(simulators: server.RunningSandbox) -> None:
    invoice = await OpenAICosts(simulators.base_urls["openai"], "sk-admin-x").fetch(FIRST, LAST)
    found = {(line.day, *line.tokens.items()): line.amount for line in invoice.lines}
    for day in ("2026-10-06", "2026-11-20"):
        assert found[day, ("uncached_input", 100)] == 15_000
        assert found[day, ("cache_read", 40)] == 3_000
        assert found[day, ("output", 15)] == 9_000
    assert len(invoice.lines) == 6
    assert not invoice.by_request


async def test_anthropic_tells_tokens_and_cents_apart(simulators: server.RunningSandbox) -> None:
    invoice = await AnthropicCosts(simulators.base_urls["anthropic"], "sk-ant-admin-x").fetch(FIRST, LAST)
    used = [line for line in invoice.lines if line.tokens]
    assert [(line.day, line.tokens["uncached_input"], line.tokens["output"], line.amount) for line in used] == [
        ("2026-10-06", 100, 15, None),
        ("2026-11-20", 100, 15, None),
    ]
    assert sum(line.amount or 0 for line in invoice.lines if line.day == "2026-11-20") == 100_000 + 4_000 + 75_000


async def test_an_ordinary_key_opens_neither(simulators: server.RunningSandbox) -> None:
    with pytest.raises(ProviderFailed, match=r"401.*insufficient permissions"):
        await OpenAICosts(simulators.base_urls["openai"], "sk-proj-x").fetch(FIRST, LAST)
    with pytest.raises(ProviderFailed, match=r"401.*invalid x-api-key"):
        await AnthropicCosts(simulators.base_urls["anthropic"], "sk-ant-api-x").fetch(FIRST, LAST)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"data": [{"results": [{}]}]}', b'{"data": [7]}'])
async def test_another_shape_than_documented_is_an_error_of_the_provider(body: bytes) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    async with served(answer) as base_url:
        with pytest.raises(ProviderFailed):
            await OpenAICosts(base_url, "sk-admin-x").fetch(FIRST, LAST)


async def test_a_busy_api_is_asked_again() -> None:
    asked = []

    async def answer(_: web.Request) -> web.Response:
        asked.append(1)
        if len(asked) < 3:
            return web.json_response({"error": {"message": "slow down"}}, status=429)
        return web.json_response({"data": [], "has_more": False, "next_page": None})

    async with served(answer) as base_url:
        invoice = await OpenAICosts(base_url, "sk-admin-x", pause=0.001).fetch(FIRST, LAST)
    assert (len(asked), invoice.lines) == (3, ())


class served:  # noqa: N801 - reads as a verb where it is used
    """One handler for every path, on a port of its own."""

    def __init__(self, handler: Any) -> None:
        self._app = web.Application()
        self._app.router.add_get("/{path:.*}", handler)
        self._runner = web.AppRunner(self._app)

    async def __aenter__(self) -> str:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()


@pytest.mark.parametrize("text", ["", "abc", "Infinity", "1e99", "--1"])
def test_no_amount_is_no_amount(text: str) -> None:
    with pytest.raises(InvalidRequest):
        amounts.read(text, amounts.DOLLARS, "here")


def test_amounts_keep_every_digit_until_they_are_rounded_once() -> None:
    assert amounts.read("0.0000000015", amounts.DOLLARS, "here") == Decimal("1.5")
    assert amounts.whole(Decimal("2.5")) == 2
    assert amounts.resolution([Decimal(1_500), Decimal("2e7")]) == 100
    assert amounts.resolution([]) == 1
