"""What customers do about money between their requests."""

import re
from random import Random

from monkey_coder_server.domain.money import parse_usd
from monkey_coder_server.sandbox.stripe.refusals import Refusal
from monkey_coder_server.sandbox.stripe.resources import subscriptions
from tests.month.customers import PRO, SOLD, STARTER, USD, Customer, Kind
from tests.month.house import House

VISA, MASTERCARD = "4242424242424242", "5555555555554444"
DECLINED, DECLINES_LATER, ASKS_ALWAYS = "4000000000000002", "4000000000000341", "4000002760003184"
DISPUTED, WARNED = "4000000000000259", "4000000000005423"
LATE_REFUNDS, BOUNCED_REFUNDS = "4000000000007726", "4000000000005126"
CARDS = (
    (VISA,) * 10 + (MASTERCARD,) * 4 + (DISPUTED, WARNED, LATE_REFUNDS, LATE_REFUNDS, BOUNCED_REFUNDS, BOUNCED_REFUNDS)
)
LOW = 4 * USD
RULE = {"threshold_usd": "8", "amount_usd": "25", "monthly_maximum_usd": "150"}
_SESSION = re.compile(r"cs_[A-Za-z0-9_]+")


class Deeds:
    """One at a time, drawn by chance."""

    def __init__(self, house: House, chance: Random) -> None:
        self._house = house
        self._chance = chance

    async def act(self, one: Customer) -> None:
        """What this customer does now, if anything."""
        if one.kind is Kind.PREPAID:
            await self._prepaid(one)
        elif one.kind is Kind.TOP_UP:
            await self._topped_up(one)
        elif one.kind is Kind.SUBSCRIBED:
            await self._subscribed(one)

    async def _prepaid(self, one: Customer) -> None:
        if await self._balance(one) < LOW and self._chance.random() < 0.7:
            await self._buy(one, {"amount_usd": str(self._chance.randint(10, 40))})
        if self._chance.random() < 0.03:
            await self._give_back(one)

    async def _topped_up(self, one: Customer) -> None:
        """Saves a card, sets the rule, sets it anew when it was switched off."""
        answer = await self._house.ask(one.key, "GET", "/v1/billing/top-up")
        if answer.status_code == 200 and answer.json()["state"] == "on":
            return
        if self._chance.random() < 0.5:
            card = self._chance.choice((VISA, VISA, VISA, DECLINES_LATER, ASKS_ALWAYS))
            await self._buy(one, {"amount_usd": "15", "save_card": True}, card=card)
            await self._house.ask(one.key, "PUT", "/v1/billing/top-up", RULE)

    async def _subscribed(self, one: Customer) -> None:
        """Buys a plan; later changes it for the other one, ends it, or buys credit besides."""
        answer = await self._house.ask(one.key, "GET", "/v1/billing/plan")
        live = answer.json()["subscription"]
        chance = self._chance.random()
        if live is None:
            if chance < 0.4:
                await self._buy(one, {"plan": self._chance.choice(SOLD).plan_id}, card=self._card_of_plan())
        elif chance < 0.01:
            await self._end(one, now=False)
        elif chance < 0.02:
            await self._end(one, now=True)
            other = STARTER if live["plan"] == PRO.plan_id else PRO
            await self._house.settle()
            await self._buy(one, {"plan": other.plan_id}, card=VISA)
        elif chance < 0.04 and await self._balance(one) < LOW:
            await self._buy(one, {"amount_usd": "10"}, card=VISA)

    def _card_of_plan(self) -> str:
        return self._chance.choice((VISA, VISA, MASTERCARD, DECLINES_LATER, DISPUTED))

    async def _buy(self, one: Customer, wish: dict[str, object], *, card: str = "") -> None:
        """Go to the page and pay, now and then after a card that is declined, or leave the page as it is."""
        answer = await self._house.ask(one.key, "POST", "/v1/billing/checkout", wish)
        found = _SESSION.search(answer.text)
        chance = self._chance.random()
        if answer.status_code != 200 or found is None or chance < 0.05:
            return
        if chance < 0.15:
            self._try(found[0], DECLINED)
        if chance > 0.93 and not card:
            self._house.bank.pay_by_bank(found[0], bounces=chance > 0.97)
            return
        self._try(found[0], card or self._chance.choice(CARDS))

    def _try(self, session: str, card: str) -> None:
        """Pay; a bank that asks is answered."""
        bank = self._house.bank
        try:
            paid = bank.pay(session, card)
        except Refusal:
            return
        [intent] = [self._house.stripe.simulator.account.objects[session].get("_intent", "")]
        if paid["status"] == "open" and intent:
            bank.prove(intent)

    async def _give_back(self, one: Customer) -> None:
        amount = self._chance.choice(("all", "5", "1.23"))
        await self._house.ask(one.key, "POST", "/v1/billing/refunds", {"amount_usd": amount, "reason": "not needed"})

    async def _end(self, one: Customer, *, now: bool) -> None:
        """In the portal a plan runs out; in the dashboard somebody of ours ends it at once."""
        house = self._house
        customer = await house.gateway.books.storage.payments.customer(one.account_id)
        with house.dashboard() as account:
            for each in account.all("subscription", customer=customer):
                if now:
                    subscriptions.end(account, each)
                elif each["status"] != "canceled":
                    subscriptions.stop_renewing(account, each, stop=True)

    async def _balance(self, one: Customer) -> int:
        answer = await self._house.ask(one.key, "GET", "/v1/billing/balance")
        return parse_usd(str(answer.json()["balance_usd"]))
