"""Everything that is known of the month in the end, from both sides, and whether it comes to the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monkey_coder_server.domain.money import usd
from monkey_coder_server.sandbox.stripe.account import Object
from tests.month import balances, billed, cash, granted, told
from tests.month.asking import Heard
from tests.month.customers import Customer
from tests.month.house import House


@dataclass(frozen=True, slots=True)
class Books:
    """`checks` are differences by what was compared, all empty when the books are right; `figures` are for people."""

    checks: Mapping[str, Sequence[str]]
    figures: Mapping[str, str]

    @property
    def wrong(self) -> dict[str, Sequence[str]]:
        """What is not as it has to be."""
        return {name: found for name, found in self.checks.items() if found}


async def compare(house: House, customers: Sequence[Customer], heard: Heard) -> Books:
    """Set them beside each other."""
    verdict = await house.gateway.books.storage.ledger.verify()
    firms = [one for one in customers if one.payer is not None]
    checks = {
        "answers and receipts": told.differing(house, heard),
        "receipts and statements": await billed.statements(house, customers),
        "receipts and invoices": billed.invoices(house, firms),
        "invoices here and at Stripe": billed.at_stripe(house),
        "residue in the rounding account": billed.residues(house, firms),
        "Stripe's cash and ours": cash.differing(house, customers),
        "balances": balances.differing(house, customers),
        "credit of plans": granted.of_plans(house),
        "granted twice": granted.twice(house),
        "subscriptions here and at Stripe": granted.subscriptions(house),
        "events nobody handled": told.unhandled(house),
        "ledger verify": [*verdict.details, *[name for name, found in verdict.checks.items() if found]],
    }
    return Books(
        checks, {**_figures(house, heard), **{f"books, {kind}": usd(sum_) for kind, sum_ in verdict.totals.items()}}
    )


def _figures(house: House, heard: Heard) -> dict[str, str]:
    held = house.bank.cash()
    webhooks = house.stripe.simulator.webhooks
    counted = {
        "requests served": heard.served,
        "requests refused": sum(heard.refused.values()),
        "payments": len(_succeeded(house)),
        "refunds": len(house.bank.find("refund")),
        "disputes": len(house.bank.find("dispute")),
        "subscriptions": len(house.bank.find("subscription")),
        "invoices of ours": len(billed.ours(house)),
        "webhooks sent": len(webhooks.sent),
        "webhooks lost": len(house.lost),
    }
    return {
        **{name: f"{count:,}" for name, count in counted.items()},
        **{f"Stripe, {name}": f"{cents / 100:,.2f}" for name, cents in held.items() if name not in {"fee", "net"}},
    }


def _succeeded(house: House) -> list[Object]:
    return house.bank.find("payment_intent", status="succeeded")
