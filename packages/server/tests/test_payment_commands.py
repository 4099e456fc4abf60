"""`monkey-server admin payments | refund-payment | thaw | reconcile-payments | payment-events` as they are typed."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monkey_coder_server.__main__ import main
from monkey_coder_server.domain.payments import PaymentSeen, PaymentState, Purpose
from monkey_coder_server.ports.payments import EventSeen
from packages.server.tests.payments.far_end import FarEnd

Output = pytest.CaptureFixture[str]
EMAIL = "a@example.com"
PAID = PaymentSeen(
    payment_id="pi_1",
    customer_id="cus_1",
    account_id="",
    purpose=Purpose.CREDIT,
    state=PaymentState.SUCCEEDED,
    cents=2_000,
)


@pytest.fixture(autouse=True)
def account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output) -> str:
    """Somebody who paid 20 USD."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    assert main(["admin", "create-user", "--email", EMAIL, "--json"]) == 0
    account_id: str = json.loads(capsys.readouterr().out)["account_id"]
    see(replace(PAID, account_id=account_id))
    return account_id


def see(seen: PaymentSeen) -> None:
    from monkey_coder_server.bootstrap.books import open_books
    from monkey_coder_server.settings import load

    async def book() -> None:
        async with open_books(load({"DATA_DIR": "data"})) as books:
            await books.storage.payments.book(seen)

    asyncio.run(book())


def told(capsys: Output, *arguments: str) -> list[str]:
    capsys.readouterr()
    assert main(["admin", *arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_payment_is_listed_and_given_back_in_part(capsys: Output) -> None:
    [line] = told(capsys, "payments", "--email", EMAIL)
    assert line.endswith("20.00 USD, 0.00 given back, 20.00 can be")
    payment = line.split()[1]
    back = ["refund-payment", "--email", EMAIL, "--reason", "double"]
    [ordered] = told(capsys, *back, "--usd", "5", "--payment", payment)
    assert ordered.startswith("rfd_")
    assert ordered.endswith(f": 5.00 USD of {payment} go back")
    [line] = told(capsys, "payments", "--email", EMAIL)
    assert line.endswith("20.00 USD, 5.00 given back, 15.00 can be")
    assert main(["admin", *back, "--usd", "15.01"]) != 0
    assert "15.00 USD can be given back" in capsys.readouterr().err


def test_an_account_under_a_warning_is_thawed(capsys: Output, account: str) -> None:
    see(replace(PAID, account_id=account, early_fraud_warning=True))
    back = ["refund-payment", "--email", EMAIL, "--reason", "x", "--usd", "all"]
    assert main(["admin", *back]) != 0
    assert told(capsys, "thaw", "--email", EMAIL, "--reason", "called") == [f"{EMAIL} may spend; debt 0.00 USD"]
    assert len(told(capsys, *back)) == 1


def test_who_paid_nothing_is_said_so(capsys: Output) -> None:
    told(capsys, "create-user", "--email", "b@example.com")
    assert told(capsys, "payments", "--email", "b@example.com") == ["b@example.com has paid nothing"]


@pytest.fixture
def far_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[FarEnd]:
    """A Stripe that sends no webhooks, in a thread of its own: the commands have their own loops."""
    with FarEnd.running() as far_end:
        monkeypatch.setenv("STRIPE_SECRET_KEY", "rk_test_canary")
        monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_canary0123456789")
        monkeypatch.setenv("STRIPE_API_BASE", far_end.url)
        yield far_end


@pytest.mark.system
def test_what_a_lost_webhook_left_out_is_booked_and_then_sound(capsys: Output, account: str, far_end: FarEnd) -> None:
    far_end.pays(account, 2_500)
    before = told(capsys, "payments", "--email", EMAIL)
    assert told(capsys, "reconcile-payments")[-1] == "sound: 0 differ, 0.00 USD unexplained"
    assert len(told(capsys, "payments", "--email", EMAIL)) == len(before) + 1
    lines = told(capsys, "reconcile-payments", "--days", "1")
    assert lines == [
        "1 payments, 0 booked now, 0 in other currencies",
        "the processor holds 25.00 USD of them, the books 25.00 USD",
        "sound: 0 differ, 0.00 USD unexplained",
    ]
    document = json.loads("\n".join(told(capsys, "reconcile-payments", "--json")))
    assert (document["sound"], document["repaired"], document["processor_usd"]) == (True, 0, "25.00")


@pytest.mark.system
def test_a_payment_of_nobody_known_is_listed_and_the_exit_says_so(capsys: Output, far_end: FarEnd) -> None:
    payment = far_end.pays("", 900)
    capsys.readouterr()
    assert main(["admin", "reconcile-payments"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines if line.startswith("pi_")] == [[payment, "9.00", "0.00"]]
    assert lines[-1] == "NOT RECONCILED: 1 differ, 9.00 USD unexplained"


@pytest.mark.parametrize("days", ["0", "3661", "-1", "week"])
def test_how_far_to_look_back_is_checked(capsys: Output, days: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["admin", "reconcile-payments", "--days", days])
    assert "not a number of days" in capsys.readouterr().err or days == "-1"


def test_without_payments_there_is_nothing_to_compare_with(capsys: Output) -> None:
    capsys.readouterr()
    assert main(["admin", "reconcile-payments"]) == 1
    assert "STRIPE_SECRET_KEY is not set" in capsys.readouterr().err


def test_events_that_were_tried_in_vain_are_listed_with_why(capsys: Output) -> None:
    assert told(capsys, "payment-events") == ["no event waits"]
    fail(EventSeen("evt_1", "payment_intent.succeeded", datetime.now(UTC), False, "payment", "pi_9"))
    [line] = told(capsys, "payment-events")
    assert line.split()[2:] == ["evt_1", "payment_intent.succeeded", "1", "tries", "of", "nobody", "known", "here"]


def fail(event: EventSeen) -> None:
    from monkey_coder_server.bootstrap.books import open_books
    from monkey_coder_server.features.billing.payments.working_off import UNKNOWN
    from monkey_coder_server.settings import load

    async def take() -> None:
        async with open_books(load({"DATA_DIR": "data"})) as books:
            inbox, now = books.storage.payment_inbox, books.clock.now()
            await inbox.take(event, now)
            await inbox.claim(now, now, 1)
            await inbox.postpone([event.event_id], now, UNKNOWN)

    asyncio.run(take())
