"""What each customer has left: what they bought and were given, less what they spent and what was taken back."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from monkey_coder_server.domain.money import NANO_PER_CENT
from monkey_coder_server.sandbox.stripe.account import Object
from tests.month.billed import EXPIRED
from tests.month.cash import CUSTOMERS
from tests.month.customers import SOLD, Customer
from tests.month.house import House
from tests.month.receipts import by_account

WALLETS = "SELECT account_id, balance, held FROM wallets"
OWED = "SELECT account_id, SUM(debt), SUM(aside) FROM payments GROUP BY account_id"
NOT_CREDIT = (
    "SELECT account_id, SUM(amount) FROM payment_takings WHERE source IN ('lapsed', 'forgiven') GROUP BY account_id"
)


@dataclass
class Moved:
    """Nano-dollars by account, as Stripe has it."""

    bought: Counter[str] = field(default_factory=Counter)
    included: Counter[str] = field(default_factory=Counter)
    renewed: Counter[str] = field(default_factory=Counter)
    back: Counter[str] = field(default_factory=Counter)


def differing(house: House, customers: Sequence[Customer]) -> list[str]:
    """Balances that are another, and credit that is still held."""
    moved, spent, expired = _moved(house), by_account(house), dict(house.read(EXPIRED))
    owed = {name: (int(debt), int(aside)) for name, debt, aside in house.read(OWED)}
    not_credit = dict(house.read(NOT_CREDIT))
    wallets = {name: (int(balance), int(held)) for name, balance, held in house.read(WALLETS)}
    wrong = []
    for one in customers:
        name = one.account_id
        debt, aside = owed.get(name, (0, 0))
        wanted = (
            one.line + sum(one.gifts) + moved.bought[name] + moved.included[name] + moved.renewed[name]
            - spent[name] - int(expired.get(name, 0))
            - (moved.back[name] - debt - int(not_credit.get(name, 0))) - aside
        )  # fmt: skip
        balance, held = wallets[name]
        if balance != wanted or held:
            wrong.append(f"{one.kind} {one.whose}: {balance} with {held} held, and not {wanted}")
    return wrong


def _moved(house: House) -> Moved:
    accounts, moved, invoices = dict(house.read(CUSTOMERS)), Moved(), _invoices(house)
    for intent in house.bank.find("payment_intent", status="succeeded"):
        name = accounts.get(str(intent["customer"]), "")
        cents, back = int(intent["amount_received"]), _back(house, intent["id"])
        invoice = invoices.get(intent["id"])
        if intent["metadata"].get("purpose"):
            moved.bought[name] += cents * NANO_PER_CENT
            moved.back[name] += back * NANO_PER_CENT
        elif invoice is not None and invoice["parent"]:
            included = included_of(invoice)
            moved.included[name] += included
            moved.back[name] += back * NANO_PER_CENT * min(included, cents * NANO_PER_CENT) // (cents * NANO_PER_CENT)
        else:
            moved.renewed[name] += cents * NANO_PER_CENT
            moved.back[name] += back * NANO_PER_CENT
    return moved


def included_of(invoice: Object) -> int:
    """The credit of the plan whose fee an invoice is."""
    plan = invoice["parent"]["subscription_details"]["metadata"]["reference"]
    return next(sold.included for sold in SOLD if sold.plan_id == plan)


def _invoices(house: House) -> dict[str, Object]:
    """Invoices by the payment intent that pays them."""
    known = {each["id"]: each for each in house.bank.find("invoice")}
    return {each["payment"]["payment_intent"]: known[each["invoice"]] for each in house.bank.find("invoice_payment")}


def _back(house: House, intent: str) -> int:
    """Cents that went back to the customer, or to their bank for good."""
    refunds = house.bank.find("refund", payment_intent=intent, status="succeeded")
    lost = house.bank.find("dispute", payment_intent=intent, status="lost")
    cents = sum(each["amount"] for each in (*refunds, *lost))
    return int(min(cents, house.bank.find("payment_intent", id=intent)[0]["amount_received"]))
