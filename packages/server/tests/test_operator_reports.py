"""`admin reconcile` and `admin export` as an operator runs them, and what the gateway's metrics say of the former."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from monkey_coder_server.__main__ import main
from monkey_coder_server.adapters.storage.transaction import Query
from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.ports.accounts import Caps
from monkey_coder_server.ports.ledger import Bill
from monkey_coder_server.ports.usage_reports import Grouping, Wanted
from monkey_coder_server.settings import SettingsError, load
from packages.server.tests.contract.booking import ACCOUNT, NOON, hold_request, settle, settlement
from packages.server.tests.contract.test_caps import key

Output = pytest.CaptureFixture[str]
PERIODS = Query(text("SELECT period FROM caps"))
PERIOD = ("--from", "2026-11-22", "--to", "2026-11-22")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("ENVIRONMENT", "DATABASE_URL", "OPENAI_ADMIN_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))


async def _one_request(provider: str, *, estimated: bool) -> None:
    async with open_books(load()) as books:
        ledger, store = books.storage.ledger, books.storage.books
        await ledger.open_wallet(ACCOUNT)
        await ledger.grant(ACCOUNT, 10_000, reason="test", idempotency_key="first")
        asked = hold_request(900)
        await store.place(asked)
        usage = settlement(asked).usage._replace(estimated=estimated, cost_nano=500)
        bill = Bill(provider, "grok-4.3" if provider == "xai" else "gpt-5-mini", usage, 500, "up_1")
        await settle(store, asked, provider=provider, model=bill.model, usage=usage, bills=(bill,))


def request(provider: str, *, estimated: bool = False) -> None:
    asyncio.run(_one_request(provider, estimated=estimated))


def invoice(tmp_path: Path, *lines: str) -> str:
    file = tmp_path / "invoice.csv"
    file.write_text("\n".join(("request_id,day,model,output_tokens,amount_usd", *lines)), encoding="utf-8")
    return str(file)


def test_books_and_invoice_that_agree_end_with_0(capsys: Output, tmp_path: Path) -> None:
    request("xai")
    file = invoice(tmp_path, "up_1,2026-11-22,grok-4.3,30,0.0000005")
    assert main(["admin", "reconcile", "--provider", "xai", "--file", file, *PERIOD]) == 0
    assert capsys.readouterr().out.endswith("sound: 0 findings, 0.00 USD unexplained\n")
    assert main(["admin", "reconcile", "--provider", "xai", "--from-traffic", *PERIOD]) == 0


def test_what_does_not_agree_ends_with_1_and_is_told(capsys: Output, tmp_path: Path) -> None:
    request("xai")
    file = invoice(tmp_path, "up_1,2026-11-22,grok-4.3,30,0.0000007", "up_2,2026-11-22,grok-4.3,30,0.000001")
    assert main(["admin", "reconcile", "--provider", "xai", "--file", file, *PERIOD, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert {each["kind"] for each in document["findings"]} == {"amount_differs", "missing_in_books"}
    assert (document["sound"], document["unexplained_usd"]) == (False, "0.0000012")


def test_an_estimate_is_corrected_only_when_asked_to_and_once(capsys: Output, tmp_path: Path) -> None:
    request("xai", estimated=True)
    arguments = ["admin", "reconcile", "--provider", "xai", *PERIOD, "--json"]
    arguments += ["--file", invoice(tmp_path, "up_1,2026-11-22,grok-4.3,44,0.0000008")]
    corrected = []
    for flags in ([], ["--correct"], ["--correct"]):
        assert main([*arguments, *flags]) == 0
        document = json.loads(capsys.readouterr().out)
        corrected.append((document["corrected"], len(document["findings"]), document["booked_usd"]))
    assert corrected == [(0, 1, "0.0000005"), (1, 1, "0.0000005"), (0, 0, "0.0000008")]
    assert main(["admin", "ledger", "verify"]) == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--provider", "nobody", "--from-traffic"], "There is no provider 'nobody'"),
        (["--provider", "groq", "--from-traffic"], "do not say what they cost"),
        (["--provider", "groq", "--from-api"], "has no cost API"),
        (["--provider", "openai", "--from-api"], "OPENAI_ADMIN_KEY is not set"),
        (["--provider", "groq", "--file", "none.csv"], "none.csv cannot be read"),
    ],
)
def test_what_cannot_be_compared_is_said(arguments: list[str], sentence: str, capsys: Output) -> None:
    assert main(["admin", "reconcile", *arguments, *PERIOD]) == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "begins"),
    [("csv", b"at,request_id"), ("jsonl", b'{"at":"2026-11-22T'), ("parquet", b"PAR1"), ("focus", b"BilledCost")],
)
def test_an_export_goes_to_standard_output(name: str, begins: bytes, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    request("openai")
    assert main(["admin", "export", "--format", name, *PERIOD]) == 0
    assert capfdbinary.readouterr().out.startswith(begins)


def test_sums_are_made_anew_on_demand(capsys: Output) -> None:
    request("openai")
    assert main(["admin", "ledger", "rebuild-sums"]) == 0
    assert main(["admin", "ledger", "verify"]) == 0


async def test_metrics_show_the_newest_comparison(tmp_path: Path) -> None:
    await _one_request("xai", estimated=False)
    file = invoice(tmp_path, "up_1,2026-11-22,grok-4.3,30,0.0000007")
    arguments = ["admin", "reconcile", "--provider", "xai", "--file", file, *PERIOD]
    assert await asyncio.to_thread(main, arguments) == 1
    async with open_gateway(load()) as gateway:
        name = 'monkey_coder_reconciliation_unexplained_nano_dollars{{compared_with="{}",provider="xai"}} {}'
        lines = {name.format("invoice", "200.0"), name.format("answers", "0.0")}
        for _ in range(2_000):
            if lines <= set(gateway.metrics.text().decode().splitlines()):
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail("the metrics never say what the comparison came to")


async def test_a_gateway_drops_rows_that_are_kept_no_longer_and_keeps_their_sums(tmp_path: Path) -> None:
    await _one_request("openai", estimated=False)
    settings = load({"DATA_DIR": str(tmp_path / "data"), "USAGE_RETENTION_MONTHS": "2"})
    async with open_gateway(settings) as gateway:
        reports, end = gateway.books.storage.reports, datetime(2100, 1, 1, tzinfo=UTC)
        assert await reports.drop_old(end, 2) == 1
        wanted = Wanted(NOON.replace(hour=0), end)
        [[kept]] = await reports.grouped(ACCOUNT, wanted, [Grouping(("day",))])
        assert (kept.figures.requests, kept.figures.price) == (1, 600)
        assert await reports.newest(ACCOUNT, wanted, most=9) == []


async def test_a_gateway_drops_counters_of_days_long_past(tmp_path: Path) -> None:
    settings, past = load({"DATA_DIR": str(tmp_path / "data")}), datetime(2020, 1, 1, tzinfo=UTC)
    async with open_books(settings) as books:
        store, asked = books.storage, hold_request(900, at=past)
        await store.ledger.open_wallet(ACCOUNT)
        await store.ledger.grant(ACCOUNT, 10_000, reason="test", idempotency_key="first")
        await store.keys.create(key(Caps(total=5_000)))
        await store.books.place(asked)
        await settle(store.books, asked)
    async with open_gateway(settings) as gateway:
        for _ in range(2_000):
            periods = await gateway.books.storage.readers.read(lambda transaction: transaction.rows(PERIODS, {}))
            if periods == [("total",)]:
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail(f"counters of days long past are kept: {periods}")
        assert (await gateway.books.storage.ledger.verify()).sound


def test_a_retention_of_one_month_is_refused() -> None:
    with pytest.raises(SettingsError, match="invoices of a month come in the next one"):
        load({"USAGE_RETENTION_MONTHS": "1"})
