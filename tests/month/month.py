"""The month: days of traffic, then the days until every invoice is paid, overdue, or given up."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

from monkey_coder_server.domain.invoicing import InvoiceState
from monkey_coder_server.ports.invoicing import Sent
from monkey_coder_server.sandbox.stripe.resources import billing
from tests.month import weather
from tests.month.asking import Heard, ask_all
from tests.month.books import Books, compare
from tests.month.calendar import midnight
from tests.month.customers import Customer, Payer, move_in, write_plans
from tests.month.deeds import Deeds
from tests.month.house import OFTEN, House, open_house
from tests.month.others import Others

DAYS = 31
AFTER = 52
"""Days behind the month: an invoice is due after 30 days, and freezes its account 14 days later."""
OTHERS_ACT = 25
"""For so many customers once in a step."""
PAID_AFTER, GIVEN_UP_AFTER, LATE_AFTER = 5, 20, 50
"""Days behind the month."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How large a month is to be. `steps` a day while there is traffic, then one each so many `days`.

    `first_payer`: what becomes of the first firm's invoice, of `customers.PAYERS`.
    """

    customers: int
    requests: int
    seed: int = 1
    steps: int = 4
    days: int = 1
    first_payer: int = 0


@dataclass
class Month:
    """What came of it."""

    heard: Heard = field(default_factory=Heard)
    customers: list[Customer] = field(default_factory=list)
    books: Books | None = None
    frozen: set[str] = field(default_factory=set)


async def live(folder: Path, wish: Wish, database: str = "", *, told: Callable[[str], None] = lambda _: None) -> Month:
    """Live through it, then compare all books."""
    chance, month = Random(wish.seed), Month()
    async with open_house(folder, database, seed=wish.seed, usual=wish.requests / wish.customers) as house:
        await write_plans(house)
        month.customers = await move_in(house, wish.customers, chance, first_payer=wish.first_payer)
        await _traffic(house, month, wish, chance, told)
        await _afterwards(house, month, wish, chance, told)
        month.books = await compare(house, month.customers, month.heard)
    return month


async def _traffic(house: House, month: Month, wish: Wish, chance: Random, told: Callable[[str], None]) -> None:
    deeds, others = Deeds(house, chance), Others(house, chance)
    steps = DAYS * wish.steps
    for step in range(steps):
        day = step // wish.steps
        house.move(midnight(0) + timedelta(days=step / wish.steps, seconds=1))
        weather.change(house, chance)
        for one in month.customers:
            await deeds.act(one)
        for _ in range(0, wish.customers, OTHERS_ACT):
            await others.act(month.customers, day)
        await house.settle(mixed=True)
        count = wish.requests * (step + 1) // steps - wish.requests * step // steps
        await ask_all(house, month.customers, count, chance, month.heard)
        await others.thaw(month.customers)
        await house.settle(mixed=True)
        if not (step + 1) % wish.steps:
            told(f"day {day + 1}: {month.heard.served} served, {sum(month.heard.refused.values())} refused")


async def _afterwards(house: House, month: Month, wish: Wish, chance: Random, told: Callable[[str], None]) -> None:
    """Invoices are drawn up, paid or not; everything undecided is decided; what was lost is found."""
    others = Others(house, chance)
    house.stripe.simulator.faults.rules.clear()
    for day in range(0, AFTER + 1, wish.days):
        house.move(midnight(DAYS + day) + timedelta(hours=7))
        await asyncio.sleep(OFTEN * 2)
        await house.settle(mixed=True)
        month.frozen |= await _frozen(house, month.customers)
        if day >= AFTER // 2:
            weather.clear(house)
            others.decide_all()
        await _firms(house, month.customers, day)
        await house.settle(mixed=True)
    told(f"{AFTER} days later: {len(month.frozen)} accounts were frozen for their invoice")
    await house.settle(everything=True)


async def _firms(house: House, customers: list[Customer], day: int) -> None:
    """Invoices of firms are paid on their page, or not."""
    for one in customers:
        if one.payer is None:
            continue
        for invoice in house.bank.find("invoice", status="open"):
            if invoice["metadata"].get("account_id") != one.account_id:
                continue
            pays = {Payer.PAYS: PAID_AFTER, Payer.LATE: LATE_AFTER}.get(one.payer)
            if pays is not None and day >= pays:
                house.bank.pay_invoice(invoice["id"])
            elif one.payer is Payer.VOIDED and day == GIVEN_UP_AFTER:
                with house.dashboard() as account:
                    billing.void(account, account.objects[invoice["id"]])
            elif one.payer is Payer.LOST and day == GIVEN_UP_AFTER:
                lost = Sent(InvoiceState.UNCOLLECTIBLE, "", "")
                name = invoice["metadata"]["invoice_id"]
                await house.gateway.books.storage.invoices.bring(name, lost, house.now())


async def _frozen(house: House, customers: list[Customer]) -> set[str]:
    books = house.gateway.books.storage.payments
    standings = [await books.standing(one.account_id) for one in customers if one.payer is not None]
    return {each.account_id for each in standings if each.frozen == "overdue"}
