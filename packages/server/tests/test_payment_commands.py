"""`monkey-server admin payments | refund-payment | thaw` as an operator types them."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from monkey_coder_server.__main__ import main
from monkey_coder_server.domain.payments import PaymentSeen, PaymentState, Purpose

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
