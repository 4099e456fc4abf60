"""What operators, banks and people at Stripe's dashboard do in the month."""

import contextlib
from datetime import timedelta
from random import Random

from monkey_coder_server.bootstrap.pricing import pricing_of
from monkey_coder_server.bootstrap.supplies import PROVIDERS
from monkey_coder_server.domain.catalog import Catalog
from monkey_coder_server.domain.errors import Conflict
from monkey_coder_server.domain.ledger import GrantKind
from monkey_coder_server.domain.payments import PaymentState
from monkey_coder_server.features.billing.buying import refunds
from monkey_coder_server.features.pricing.markups import MarkupWish, set_markup
from monkey_coder_server.ports.ledger import GrantTerms
from monkey_coder_server.sandbox.stripe.refusals import Refusal
from monkey_coder_server.web.operating import COMMANDS
from tests.month.customers import FIRM, PRO, USD, Customer, Kind, give
from tests.month.house import House

MARKUPS = (
    MarkupWish(basis_points=2_500, plan=FIRM, reason="firms"),
    MarkupWish(basis_points=900, plan=PRO.plan_id, provider="openai", reason="who pays a fee"),
    MarkupWish(basis_points=3_333, model="anthropic/claude-haiku-4-5", reason="a dear model"),
    MarkupWish(basis_points=0, provider="groq", reason="at cost"),
    MarkupWish(basis_points=1_234, reason="all others"),
)
"""Set one after another, every few days."""
UNDECIDED = ("needs_response", "warning_needs_response")
GIFTED_FOR = timedelta(days=5)


class Others:
    """One at a time, drawn by chance."""

    def __init__(self, house: House, chance: Random) -> None:
        self._house = house
        self._chance = chance
        self._markups = list(MARKUPS)

    async def act(self, customers: list[Customer], day: int) -> None:
        """A round of everybody."""
        one = self._chance.choice(customers)
        if self._chance.random() < 0.3:
            terms = GrantTerms(GrantKind.PROMO, expires_at=self._house.now() + GIFTED_FOR)
            await give(self._house, one, self._chance.randint(1, 3) * USD + 1, terms)
        if self._markups and day >= 5 * (len(MARKUPS) - len(self._markups) + 1):
            await self._mark_up(self._markups.pop(0))
        await self._operators(self._chance.choice(customers))
        self._banks()

    def decide_all(self) -> None:
        """Every bank decides."""
        for dispute in self._house.bank.find("dispute"):
            if dispute["status"] in UNDECIDED:
                self._house.bank.decide_dispute(dispute["id"], won=self._chance.random() < 0.5)

    async def thaw(self, customers: list[Customer]) -> None:
        """Operators look into warnings, and let the house bear what some owe."""
        books = self._house.gateway.books.storage.payments
        for one in customers:
            standing = await books.standing(one.account_id)
            if standing.frozen in {"fraud_warning", "debt"} and self._chance.random() < 0.2:
                await books.thaw(one.account_id, forgive=self._chance.random() < 0.3)

    async def _mark_up(self, wish: MarkupWish) -> None:
        books = self._house.gateway.books
        models = Catalog(card for provider in PROVIDERS for card in provider.offers)
        use = pricing_of(books, models, self._house.prices)
        await set_markup(use, COMMANDS, wish)

    async def _operators(self, one: Customer) -> None:
        if one.kind is Kind.POSTPAID or self._chance.random() > 0.1:
            return
        use = self._house.operators
        try:
            await refunds.order(use, one.account_id, self._chance.choice(("all", "2.50")), reason="was unhappy")
        except Conflict:
            return

    def _banks(self) -> None:
        """Disputes begin and end; somebody gives a part of a payment back at the dashboard."""
        bank, chance = self._house.bank, self._chance
        paid = bank.find("payment_intent", status=PaymentState.SUCCEEDED.value)
        for dispute in bank.find("dispute"):
            if dispute["status"] in UNDECIDED and chance.random() < 0.15:
                bank.decide_dispute(dispute["id"], won=chance.random() < 0.5)
            elif dispute["status"] == "lost" and chance.random() < 0.03:
                bank.decide_dispute(dispute["id"], won=True)
        if paid and chance.random() < 0.05:
            with contextlib.suppress(Refusal):
                bank.open_dispute(chance.choice(paid)["id"], inquiry=chance.random() < 0.3)
        if paid and chance.random() < 0.1:
            intent = chance.choice(paid)
            with contextlib.suppress(Refusal):
                bank.refund(intent["id"], chance.choice((None, 1, intent["amount"] // 3)))
