"""`monkey-server admin plans | set-plan | set-credit-line | invoices` as an operator types them."""

import asyncio
import json
from pathlib import Path

import pytest

from monkey_coder_server.__main__ import main

EMAIL = "ada@example.com"
WHOSE = ("--email", EMAIL)
WHY = ("--reason", "signed the contract")
Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    assert main(["admin", "create-user", *WHOSE]) == 0


def told(capsys: Output, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["admin", *arguments]) == code
    out, err = capsys.readouterr()
    return out or err


def trail(capsys: Output) -> list[str]:
    rows = [json.loads(line) for line in told(capsys, "audit", "export").splitlines()]
    return [f"{row['action']} {row['target']} {row['details']}" for row in rows if "plan" in row["action"]]


def test_plans_are_written_changed_listed_and_retired(capsys: Output) -> None:
    told(capsys, "plans", "set", "pro", "--kind", "subscription", "--fee", "20", "--included", "15", "--name", "Pro")
    changed = told(capsys, "plans", "set", "pro", "--included-priority", "7", "--unlisted", "--until", "2030-01-01")
    assert "20.00 USD/month" in changed
    plans = json.loads(told(capsys, "plans", "list", "--json"))
    assert [each["plan"] for each in plans] == ["prepaid", "pro"]
    assert plans[1] | {"offered_from": None} == {
        "plan": "pro",
        "name": "Pro",
        "kind": "subscription",
        "monthly_fee_usd": "20.00",
        "included_credit_usd": "15.00",
        "included_priority": 7,
        "credit_line_usd": "0.00",
        "trial_credit_usd": None,
        "listed": False,
        "offered_from": None,
        "offered_until": "2030-01-01T00:00:00+00:00",
    }
    assert "nobody is put on pro" in told(capsys, "plans", "retire", "pro")
    assert "must be one of prepaid" in told(capsys, "set-plan", *WHOSE, "--plan", "pro", *WHY, code=1)
    assert told(capsys, "plans", "list").count("\n") == 2
    assert len([entry for entry in trail(capsys) if entry.startswith("plan.write pro")]) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "Pro"), "id"),
        (("set", "pro", "--kind", "subscription"), "fee"),
        (("set", "pro", "--kind", "subscription", "--fee", "0.001"), "whole cents"),
        (("set", "pro", "--included", "much"), "not an amount"),
        (("retire", "prepaid"), "always there"),
        (("retire", "pro"), "no such plan"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_with_its_reason(
    capsys: Output, arguments: tuple[str, ...], said: str
) -> None:
    assert said in told(capsys, "plans", *arguments, code=1)


def test_the_prepaid_plan_says_what_a_new_account_starts_with(capsys: Output) -> None:
    from monkey_coder_server.bootstrap.books import open_books
    from monkey_coder_server.features.accounts import registration
    from monkey_coder_server.settings import load

    told(capsys, "plans", "set", "prepaid", "--trial-credit", "2.50")

    async def balance() -> int:
        async with open_books(load()) as books:
            user = await registration.register(
                books.accounts, email="bob@example.com", password="correct horse battery", name=None, plan="pro"
            )
            return (await books.storage.ledger.wallet(user.account_id)).balance

    assert asyncio.run(balance()) == 2_500_000_000


def test_a_postpaid_account_gets_its_line_and_no_less_than_it_had(capsys: Output) -> None:
    told(capsys, "plans", "set", "firm", "--kind", "postpaid", "--credit-line", "500")
    put = told(capsys, "set-plan", *WHOSE, "--plan", "firm", *WHY)
    assert put == f"{EMAIL} is on firm, with a credit line of 500.00 USD\n"
    raised = told(capsys, "set-credit-line", *WHOSE, "--usd", "800", *WHY)
    assert raised == f"{EMAIL} has a credit line of 800.00 USD, of which 800.00 USD are left\n"
    assert "800.00 USD" in told(capsys, "set-plan", *WHOSE, "--plan", "firm", *WHY)
    assert "credit line of 0.00 USD" in told(capsys, "set-credit-line", *WHOSE, "--usd", "0", *WHY)
    assert "firm" in told(capsys, "list-users")
    assert told(capsys, "set-plan", *WHOSE, "--plan", "prepaid", *WHY) == f"{EMAIL} is on prepaid\n"
    assert told(capsys, "ledger", "verify")


def test_a_new_account_is_made_on_a_plan_of_the_operators(capsys: Output) -> None:
    told(capsys, "plans", "set", "team")
    told(capsys, "create-user", "--email", "bob@example.com", "--plan", "team")
    assert [row for row in told(capsys, "list-users").splitlines() if "bob" in row and "team" in row]
    assert "must be one of" in told(capsys, "create-user", "--email", "cy@example.com", "--plan", "none", code=1)


def test_invoices_are_drawn_up_listed_and_written_off(capsys: Output) -> None:
    asyncio.run(spend(40_000_000))
    drawn = told(capsys, "invoices", "run")
    assert ": 0.04 USD" in drawn
    assert told(capsys, "invoices", "run") == "no month is due\n"
    listed = told(capsys, "invoices", "list", *WHOSE)
    invoice_id = listed.split()[-1]
    assert "draft" in listed
    assert "uncollectible: 0.04 USD" in told(capsys, "invoices", "write-off", invoice_id, *WHY)
    assert "no such invoice" in told(capsys, "invoices", "write-off", "inv_none", *WHY, code=1)
    assert told(capsys, "ledger", "verify")


async def spend(price: int) -> None:
    """A request of the last month that may be invoiced, on a credit line as old."""
    from datetime import timedelta

    from msgspec.structs import replace

    from monkey_coder_server.bootstrap.books import open_books
    from monkey_coder_server.domain.invoicing import SETTLING
    from monkey_coder_server.settings import load
    from packages.server.tests.contract.booking import hold_request, settle

    async with open_books(load()) as books:
        storage = books.storage
        user = await storage.accounts.by_email(EMAIL)
        assert user is not None
        month_ago = (books.clock.now() - SETTLING).replace(day=1) - timedelta(days=1)
        await storage.credit_lines.set(user.account_id, price, month_ago)
        wallet = await storage.books.wallet(user.account_id)
        asked = hold_request(wallet.balance, account_id=user.account_id, at=month_ago)
        request = replace(asked, expires_at=books.clock.now() + timedelta(hours=1))
        await storage.books.place(request)
        await settle(storage.books, request, wallet.balance)
