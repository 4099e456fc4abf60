"""Where nobody can know the exact usage: what the gateway promises instead of equality with the provider's bill."""

import asyncio
import json
import time
from collections.abc import Iterator

import pytest

from monkey_coder_server.domain.money import parse_usd
from tests.books_audit import Books, Row
from tests.books_client import COMPLETED, FAILED, Told, send_all
from tests.books_traffic import MODELS, PROVIDERS, Ask
from tests.conftest import RunningGateway, running_gateway

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("unknown usage")]

UNKNOWN = ("no_usage", "absurd_usage")
LATE = {
    "before the first byte": ("fault=slow_first_byte delay=2", 1),
    "in mid-answer": ("fault=slow_drip delay=0.5", 3),
}
"""How a provider is slow, and after how many seconds its caller gives up: by then it has begun, on any machine."""
BOOKED_SECONDS = 20.0
"""The journal has every ending at once, the books a moment later."""
OWN_BILL = frozenset({"perplexity"})
"""Whose own figure of the cost is the bill, whatever its token counts say."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """One of its own: elsewhere a test may have let a provider's keys rest."""
    with running_gateway(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture
def books(gateway: RunningGateway) -> Iterator[Books]:
    opened = Books(gateway.data)
    yield opened
    opened.close()


def ask(number: int, kind: str, provider: str, *, stream: bool, steering: str, seconds: int = 60) -> Ask:
    body = {
        "task_type": "custom",
        "prompt": f"explain recursion, variant {number} [[sandbox {steering} output_tokens=400]]",
        "model": f"{provider}/{MODELS[provider][0]}",
        "context": {"timeout": seconds},
    }
    return Ask(number, kind, provider, "owner", stream, body)


def send(gateway: RunningGateway, asks: list[Ask]) -> list[Told]:
    return asyncio.run(send_all(gateway.base_url, {"owner": gateway.api_key}, asks))


def row_of(books: Books, told: Told) -> Row:
    until = time.monotonic() + BOOKED_SECONDS
    while not (found := books.rows(told.request_id)):
        assert time.monotonic() < until, f"{told.request_id} is not in the books"
        time.sleep(0.05)
    (row,) = found
    return row


def is_sound(gateway: RunningGateway) -> bool:
    sound: bool = json.loads(gateway.admin("ledger", "verify"))["sound"]
    return sound


@pytest.mark.parametrize("fault", UNKNOWN)
def test_an_answer_without_a_credible_usage_is_estimated_and_never_free(
    gateway: RunningGateway, books: Books, fault: str
) -> None:
    asks = [
        ask(number, fault, provider, stream=stream, steering=f"fault={fault}")
        for number, (provider, stream) in enumerate((name, stream) for name in PROVIDERS for stream in (False, True))
    ]
    for told in send(gateway, asks):
        assert told.outcome == COMPLETED, told
        facts, row = told.metadata, row_of(books, told)
        assert facts["tokens"]["estimated"], told.ask
        assert row.estimated
        assert 0 < parse_usd(facts["cost_usd"]) == row.charged <= row.hold
        assert row.charged + row.loss >= row.provider_cost
        if told.ask.provider not in OWN_BILL:
            assert 300 <= row.counted.output <= 800, told.ask
            assert 0 < row.counted.prompt < 2_000, told.ask
    assert is_sound(gateway)


@pytest.mark.parametrize("when", LATE)
def test_who_waited_in_vain_pays_nothing_and_the_house_notes_its_loss(
    gateway: RunningGateway, books: Books, when: str
) -> None:
    steering, seconds = LATE[when]
    asks = [
        ask(number, when, provider, stream=True, steering=steering, seconds=seconds)
        for number, provider in enumerate(PROVIDERS)
    ]
    for told in send(gateway, asks):
        assert (told.outcome, told.error_code) == (FAILED, "provider_timeout"), told
        row = row_of(books, told)
        assert (row.status, row.price, row.charged) == ("failed", 0, 0)
        if when == "in mid-answer":
            assert row.estimated, told.ask
            assert 0 < row.provider_cost <= row.hold
    assert is_sound(gateway)
