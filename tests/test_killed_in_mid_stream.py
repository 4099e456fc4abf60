"""A gateway killed in the middle of a stream: the next one charges what was delivered, estimated, and holds nothing."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.kills.clients import CUT, Callers, Heard
from tests.kills.gateway import Life, Stage, stage

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

FOUR_SECONDS = "output_tokens=120 tokens_per_second=30 first_token_ms=40"
NOTED_AGAIN = 0.7
"""Seconds. What was delivered is noted four times as often."""
BOOKS = """
    SELECT u.status, u.price, u.estimated, u.output_tokens, h.charged, h.amount, r.body
    FROM usage u JOIN holds h USING (request_id) JOIN receipts r USING (receipt_id)
"""


async def killed_after_some_text(life: Life) -> Heard:
    """Ask for one stream and kill the gateway once text of it has been delivered and noted; what was heard."""
    assert await life.ready()
    callers = Callers(life.stage.base_url, life.stage.key, seed=1, steering=FOUR_SECONDS)
    asking = asyncio.create_task(callers.ask_once(1))
    async with asyncio.timeout(20):
        while not (callers.heard and len(callers.heard[0].text) > 40):  # noqa: ASYNC110 - another's list
            await asyncio.sleep(0.01)
    await asyncio.sleep(NOTED_AGAIN)
    life.kill()
    [heard] = await asking
    return heard


def rows(where: Stage, query: str) -> list[tuple[Any, ...]]:
    (path,) = where.data.glob("*.db")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as books:
        return books.execute(query).fetchall()


def test_what_was_delivered_is_charged_estimated_and_nothing_stays_held(tmp_path: Path) -> None:
    with stage(tmp_path, busy=False) as where:
        with Life(where) as first:
            heard = asyncio.run(killed_after_some_text(first))
            assert first.killed
        assert heard.ended == CUT
        assert rows(where, BOOKS) == []
        with Life(where) as second:
            assert asyncio.run(second.ready())
            [(status, price, estimated, tokens, charged, amount, body)] = rows(where, BOOKS)
            assert rows(where, "SELECT held FROM wallets") == [(0,)]
            verdict = where.admin("ledger", "verify")
    receipt = json.loads(body)
    assert receipt["request_id"] == heard.request_id
    assert (status, bool(estimated), receipt["estimated"]) == ("served", True, True)
    assert 0 < price == charged == receipt["charge_nano"] < amount
    assert 0 < tokens <= len(heard.text)
    assert verdict["sound"], verdict["details"]
    assert not any(verdict["checks"].values())
