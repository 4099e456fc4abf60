"""A week of mixed requests at seven simulated providers, their invoices, and 40 mistakes: all found, none invented."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from monkey_coder_server.adapters.invoices.anthropic_costs import AnthropicCosts
from monkey_coder_server.adapters.invoices.csv_file import CsvInvoice
from monkey_coder_server.adapters.invoices.openai_costs import OpenAICosts
from monkey_coder_server.adapters.listener import Listener, ListenerOptions
from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.bootstrap.gateway import Gateway, open_gateway
from monkey_coder_server.bootstrap.supplies import PROVIDERS
from monkey_coder_server.domain.discrepancies import FindingKind
from monkey_coder_server.domain.invoice_names import canonical_names
from monkey_coder_server.domain.invoices import Booked, Invoice
from monkey_coder_server.domain.money import NANO_PER_USD
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.features.billing import reconciling
from monkey_coder_server.ports.invoices import IN_ANSWERS, InvoiceSource
from monkey_coder_server.sandbox import server as sandbox
from monkey_coder_server.settings import load
from packages.server.tests.reconciliation.planting import KINDS, planted
from tests.books_client import COMPLETED, Told, send_all
from tests.books_traffic import MODELS, Ask, traffic

pytestmark = [
    pytest.mark.system,
    pytest.mark.xdist_group("reconciliation"),
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

SEED = 20261128
DAYS = 6
KEYS_A_PROVIDER = 64
RICH = ("first", "second", "third")
BY_API = ("openai", "anthropic")
BY_FILE = ("google", "groq", "xai", "perplexity", "moonshot")
SILENT = {"groq": 0, "xai": 1, "moonshot": 2}
"""Providers one answer of which comes without usage, each on another day: the books can only estimate it."""
ALL_OF_THEM = tuple(kind for kind in KINDS if kind != "price_drift")
PLANTED = {
    "openai": ("price_drift", "amount_differs", "tokens_differ", "wrong_bucket", "missing_at_provider"),
    "anthropic": ("price_drift", "missing_in_books", "duplicate_at_provider", "unknown_model", "wrong_unit"),
    "google": ("wrong_bucket", "other_currency", "missing_at_provider", "unknown_model"),
    "groq": ("price_drift", "missing_at_provider", "missing_in_books", "amount_differs", "duplicate_at_provider"),
    "xai": ("price_drift", "wrong_bucket", "wrong_unit", "tokens_differ", "unknown_model", "missing_in_books"),
    "perplexity": ("amount_differs", "wrong_unit", "duplicate_at_provider", "missing_at_provider", "other_currency"),
    "moonshot": ("price_drift", *ALL_OF_THEM[:6]),
}


class Shifted:
    """A clock some days off the machine's, for gateway and simulators alike."""

    days = 0

    def now(self, _clock: Any = None) -> datetime:
        return datetime.now(UTC) - timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Week:
    """What is left of it: a gateway with its books, the simulators, and what clients were told."""

    gateway: Gateway
    simulators: sandbox.RunningSandbox
    told: list[Told]
    first: date
    last: date
    folder: Path

    async def source(self, provider: str) -> InvoiceSource:
        """The provider's word, the way an operator gets it."""
        if provider == "openai":
            return OpenAICosts(self.simulators.base_urls["openai"], "sk-admin-test")
        if provider == "anthropic":
            return AnthropicCosts(self.simulators.base_urls["anthropic"], "sk-ant-admin-test")
        url = f"http://127.0.0.1:{self.simulators.port}/__sandbox/invoices/{provider}.csv"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert answer.status == 200
            file = self.folder / f"{provider}.csv"
            await asyncio.to_thread(file.write_bytes, await answer.read())
        return CsvInvoice(file)

    async def reconcile(
        self, provider: str, source: InvoiceSource | None, *, correct: bool = False
    ) -> reconciling.Outcome:
        books = self.gateway.books
        means = reconciling.Means(books.storage.costs, canonical_of(provider), books.clock.now(), books.ids.new)
        return await reconciling.run(means, source, self.asked(provider, correct=correct))

    def asked(self, provider: str, *, correct: bool = False) -> reconciling.Asked:
        return reconciling.Asked(provider, self.first, self.last, "a test", correct)

    async def booked(self, provider: str, *, by_request: bool) -> list[Booked]:
        costs = self.gateway.books.storage.costs
        return list(await costs.costs(provider, self.first, self.last, by_request=by_request))


@dataclass(frozen=True, slots=True)
class Given:
    """An invoice at hand."""

    invoice: Invoice

    async def fetch(self, _first: date, _last: date) -> Invoice:
        return self.invoice


def canonical_of(provider: str) -> Callable[[str], str | None]:
    return canonical_names(card for each in PROVIDERS if each.name == provider for card in each.offers)


def asks_by_day() -> list[list[Ask]]:
    """The traffic of the books' own test, without callers who leave or cannot pay, and some silent providers."""
    asks = [ask for ask in traffic(SEED) if ask.leave is None and ask.payer in RICH]
    days = [asks[at::DAYS] for at in range(DAYS)]
    template = next(ask for ask in asks if ask.kind == "plain")
    for provider, day in SILENT.items():
        prompt = "explain what a binary search does [[sandbox fault=no_usage output_tokens=300]]"
        body = {**template.body, "model": f"{provider}/{MODELS[provider][0]}", "prompt": prompt}
        days[day].append(replace(template, kind="silent", provider=provider, body=body, repeats=False))
    return days


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def week(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Week]:
    patch, clock = pytest.MonkeyPatch(), Shifted()
    clock.days = DAYS
    patch.setattr(SystemClock, "now", clock.now)
    simulators = await sandbox.start(seed=7, now=clock.now, priced_at=clock.now())
    keys = {
        f"{name.upper()}_API_KEY": ",".join(f"sk-{name}-{number}" for number in range(KEYS_A_PROVIDER))
        for name in simulators.base_urls
    }
    urls = {f"{name.upper()}_BASE_URL": url for name, url in simulators.base_urls.items()}
    folder = tmp_path_factory.mktemp("week")
    settings = load({**keys, **urls, "RATE_LIMIT_PER_MINUTE": "1000000", "DATA_DIR": str(folder)}, folder=folder)
    async with open_gateway(settings) as gateway:
        listener = Listener(gateway.application, ListenerOptions("127.0.0.1", 0))
        await listener.start()
        first, told = clock.now().date(), []
        payers = {name: await _payer(gateway, name) for name in RICH}
        for number, day in enumerate(asks_by_day()):
            clock.days = DAYS - number
            told += await send_all(f"http://127.0.0.1:{listener.port}", payers, day)
        last = clock.now().date() + timedelta(days=1)
        yield Week(gateway, simulators, told, first, last, folder)
        await listener.stop()
    await simulators.close()
    patch.undo()


async def _payer(gateway: Gateway, name: str) -> str:
    made = await operator.create_user(
        gateway.books.accounts, email=f"{name}@example.com", password=None, credit=5_000 * NANO_PER_USD, plan=None
    )
    return made.api_key


async def test_estimates_are_corrected_once_and_then_an_untouched_invoice_has_no_findings(week: Week) -> None:
    assert sum(1 for told in week.told if told.outcome == COMPLETED) > 1_500
    for provider in (*BY_API, *BY_FILE):
        source = await week.source(provider)
        before = await week.reconcile(provider, source, correct=True)
        estimates = [found for found in before.verdict.findings if found.kind is FindingKind.ESTIMATE_KNOWN]
        assert [found for found in before.verdict.findings if found not in estimates] == [], provider
        assert len(estimates) == before.corrected, provider
        assert before.verdict.unexplained == 0
        after = await week.reconcile(provider, source, correct=True)
        assert (after.verdict.findings, after.corrected) == ((), 0), provider
        assert after.verdict.matched > 0
        guessed = [row for row in await week.booked(provider, by_request=True) if row.estimated]
        assert [row.corrected for row in guessed] == [True] * (provider in SILENT), provider
    report = await week.gateway.books.storage.ledger.verify()
    assert report.sound, report.details


async def test_what_answers_said_they_cost_is_what_was_booked(week: Week) -> None:
    for provider in ("xai", "perplexity"):
        outcome = await week.reconcile(provider, None)
        assert outcome.verdict.findings == ()
        assert outcome.verdict.matched > 100


async def test_every_planted_mistake_is_found_and_none_is_invented(week: Week) -> None:
    dice, found, expected = random.Random(SEED), 0, 0
    for provider, kinds in PLANTED.items():
        source = await week.source(provider)
        await week.reconcile(provider, source, correct=True)
        invoice = await source.fetch(week.first, week.last)
        rows = await week.booked(provider, by_request=invoice.by_request)
        wrong, wanted = planted(rows, invoice, canonical_of(provider), dice, kinds)
        verdict = (await week.reconcile(provider, Given(wrong))).verdict
        assert {(each.kind, each.subject) for each in verdict.findings} == wanted, provider
        found, expected = found + len(verdict.findings), expected + len(kinds)
        assert verdict.unexplained > 0
    estimates = len(SILENT)
    assert (found + estimates, expected + estimates) == (40, 40)
    made_of_all = await week.gateway.books.storage.costs.latest()
    latest = {made.provider: made.findings for made in made_of_all if made.source != IN_ANSWERS}
    assert latest == {provider: len(kinds) for provider, kinds in PLANTED.items()}
