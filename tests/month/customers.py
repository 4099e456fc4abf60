"""Whoever buys in the month: people on trial, prepaid, topped up or with a subscription, firms on a credit line."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from monkey_coder_protocol.auth import CreateKeyRequest
from monkey_coder_server.domain.ledger import GrantKind
from monkey_coder_server.domain.plans import PlanKind
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.features.accounts import operator, plan_writing
from monkey_coder_server.features.accounts.keys import make_key
from monkey_coder_server.ports.ledger import GrantTerms
from monkey_coder_server.ports.organizations import Membership, Organization
from monkey_coder_server.ports.teams import Project
from monkey_coder_server.web.operating import COMMANDS
from tests.month.house import House

USD = 1_000_000_000
CENT = 10_000_000
TRIAL = 3 * USD
LINE = 300 * USD
FREE_RATE = 1_000_000
"""Requests a minute."""
PROJECTS = ("web", "batch", None)


class Kind(StrEnum):
    """How a customer pays."""

    TRIAL = "trial"
    PREPAID = "prepaid"
    TOP_UP = "top-up"
    SUBSCRIBED = "subscribed"
    POSTPAID = "postpaid"


KINDS = (
    Kind.PREPAID,
    Kind.SUBSCRIBED,
    Kind.POSTPAID,
    Kind.TOP_UP,
    Kind.POSTPAID,
    Kind.TRIAL,
    Kind.SUBSCRIBED,
    Kind.PREPAID,
)
"""One after another, so that eight customers are of every kind."""


WEIGHTS = {Kind.TRIAL: 0.1, Kind.PREPAID: 1.2, Kind.TOP_UP: 1.2, Kind.SUBSCRIBED: 0.5, Kind.POSTPAID: 1.5}
"""How much of them ask for, beside each other."""


@dataclass(frozen=True, slots=True)
class Sold:
    """A subscription that is sold: its fee in cents, and the credit of a month."""

    plan_id: str
    cents: int
    included: int


STARTER, PRO = Sold("starter", 1_000, 12 * USD), Sold("pro", 4_000, 30 * USD)
SOLD = (STARTER, PRO)
FIRM = "firm"


@dataclass
class Customer:
    """One of them, and what was done with them. `line` and `gifts` are nano-dollars that nobody paid for."""

    number: int
    kind: Kind
    account_id: str
    whose: str
    keys: Sequence[str]
    weight: float
    line: int = 0
    gifts: list[int] = field(default_factory=list)
    payer: "Payer | None" = None

    @property
    def key(self) -> str:
        """The one of an owner's rights."""
        return self.keys[0]


class Payer(StrEnum):
    """What becomes of a firm's invoices."""

    PAYS = "pays"
    LATE = "pays when it is frozen"
    NEVER = "never pays"
    VOIDED = "is let off"
    LOST = "is written off"


PAYERS = (Payer.LATE, Payer.PAYS, Payer.VOIDED, Payer.NEVER, Payer.LOST, Payer.PAYS, Payer.PAYS, Payer.PAYS)
"""Of one firm after another."""


async def write_plans(house: House) -> None:
    """What can be had."""
    use = house.gateway.books.accounts
    for sold in SOLD:
        changes = {
            "kind": PlanKind.SUBSCRIPTION,
            "monthly_fee_cents": sold.cents,
            "included_credit": sold.included,
            "included_priority": 50,
        }
        await plan_writing.write_plan(use, COMMANDS, sold.plan_id, changes)
    await plan_writing.write_plan(use, COMMANDS, FIRM, {"kind": PlanKind.POSTPAID, "credit_line": LINE})


async def move_in(house: House, count: int, chance: Random, *, first_payer: int) -> list[Customer]:
    """All of them, with keys in several projects."""
    payers = itertools.islice(itertools.cycle(PAYERS), first_payer, None)
    return [await _one(house, number, chance, payers) for number in range(count)]


async def _one(house: House, number: int, chance: Random, payers: Iterator[Payer]) -> Customer:
    books, kind = house.gateway.books, KINDS[number % len(KINDS)]
    email = f"customer-{number}@example.com"
    firm = kind is Kind.POSTPAID
    made = await operator.create_user(books.accounts, email=email, password=None, credit=0, plan=None)
    account_id, whose = made.user.account_id, email
    if firm:
        account_id = whose = await _organization(house, made.user.user_id, number)
    keys = [await _key(house, account_id, made.user.user_id, project) for project in PROJECTS]
    one = Customer(number, kind, account_id, whose, keys, WEIGHTS[kind] * chance.choice((0.5, 1.0, 1.0, 2.0)))
    if firm:
        _, line = await plan_writing.put_on_plan(
            books.accounts, books.storage.credit_lines, COMMANDS, whose=whose, plan_id=FIRM, reason="a firm"
        )
        one.line = line.amount if line is not None else 0
        one.payer = next(payers)
    else:
        await give(house, one, TRIAL, GrantTerms(GrantKind.TRIAL))
    return one


async def give(house: House, one: Customer, amount: int, terms: GrantTerms) -> None:
    """Credit that nobody pays for."""
    await operator.grant(house.gateway.books.accounts, whose=one.whose, amount=amount, reason="a gift", terms=terms)
    one.gifts.append(amount)


async def _organization(house: House, user_id: str, number: int) -> str:
    books, now = house.gateway.books, house.now()
    organization = Organization(books.ids.new("acc"), f"Firm {number}", now)
    owner = Membership(organization.account_id, user_id, Role.OWNER, now)
    await books.storage.organizations.create(organization, owner)
    await books.storage.ledger.open_wallet(organization.account_id)
    for project in filter(None, PROJECTS):
        await books.storage.teams.add_project(Project(organization.account_id, project, None, now, project))
    return organization.account_id


async def _key(house: House, account_id: str, user_id: str, project: str | None) -> str:
    wish = CreateKeyRequest(name=f"key of {project}", rate=FREE_RATE, project_id=project)
    made = await make_key(house.gateway.books.accounts, account_id=account_id, user_id=user_id, wish=wish)
    return made.secret
