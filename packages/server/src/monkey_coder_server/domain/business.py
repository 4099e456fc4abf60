"""How business went: revenue, cost and margin from sums, and what the books say of the same time. Nano-dollars."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from monkey_coder_server.domain.ledger import AccountKind
from monkey_coder_server.domain.money import BASIS_POINTS

SETTLE, VOID, CORRECT, EXPIRE, GRANT, REFUND = "settle", "void", "correct", "expire", "grant", "refund"


@dataclass(frozen=True, slots=True)
class Takings:
    """What requests brought and cost; `name` says which. `revenue` is what customers were charged.

    `provider_cost` is what providers bill for them, failed ones included; `estimated` counts those whose cost is.
    `cache_saving` is what caches, providers' and ours, spared customers, which is no part of the revenue.
    """

    name: str
    requests: int = 0
    failed: int = 0
    revenue: int = 0
    provider_cost: int = 0
    estimated: int = 0
    cache_saving: int = 0

    @property
    def margin(self) -> int:
        """What is left of the revenue."""
        return self.revenue - self.provider_cost

    @property
    def margin_basis_points(self) -> int | None:
        """The same as a part of the revenue, rounded down; None without revenue."""
        return None if not self.revenue else self.margin * BASIS_POINTS // self.revenue


def together(name: str, lines: Iterable[Takings]) -> Takings:
    """The sum of lines."""
    every = tuple(lines)
    return Takings(
        name,
        sum(each.requests for each in every),
        sum(each.failed for each in every),
        sum(each.revenue for each in every),
        sum(each.provider_cost for each in every),
        sum(each.estimated for each in every),
        sum(each.cache_saving for each in every),
    )


class Moved(NamedTuple):
    """What all transactions of a kind moved on an account kind; `house`: those of what the house pays itself."""

    transaction: str
    house: bool
    account: str
    amount: int


@dataclass(frozen=True, slots=True)
class Losses:
    """What no customer pays, by cause."""

    beyond_hold: int
    """Prices that came out above what was held."""
    failed: int
    """What providers bill for requests and branches nobody is charged for."""
    hedges: int
    """Second calls that were not needed."""
    corrections: int
    """What providers turned out to bill beyond what was booked; negative when less."""


@dataclass(frozen=True, slots=True)
class Booked:
    """The same time as the ledger has it."""

    charged: int
    provider_cost: int
    refunded: int
    promotions_given: int
    breakage: int
    losses: Losses
    accounts: dict[str, int]
    """What came to each kind of account, all movements together."""


def booked(moves: Iterable[Moved]) -> Booked:
    """What the books say. A credit is positive there, so costs and losses stand negative."""
    every = tuple(moves)

    def moved(account: AccountKind, *kinds: str, house: bool | None = None) -> int:
        return sum(
            each.amount
            for each in every
            if each.account == account and each.transaction in kinds and house in {None, each.house}
        )

    accounts: dict[str, int] = {}
    for each in every:
        accounts[each.account] = accounts.get(each.account, 0) + each.amount
    return Booked(
        charged=-moved(AccountKind.CUSTOMER_CREDIT, SETTLE),
        provider_cost=moved(AccountKind.PROVIDER_PAYABLE, SETTLE, VOID),
        refunded=-moved(AccountKind.REVENUE, REFUND),
        promotions_given=-moved(AccountKind.PROMOTIONS, GRANT),
        breakage=moved(AccountKind.BREAKAGE, EXPIRE),
        losses=Losses(
            beyond_hold=-moved(AccountKind.HOUSE_LOSS, SETTLE),
            failed=-moved(AccountKind.HOUSE_LOSS, VOID, house=False),
            hedges=-moved(AccountKind.HOUSE_LOSS, VOID, house=True),
            corrections=-moved(AccountKind.PROVIDER_COST, CORRECT),
        ),
        accounts=accounts,
    )


def unexplained(total: Takings, books: Booked) -> tuple[int, int]:
    """What the ledger has beyond the sums of requests, in revenue and in cost: both 0, or something is wrong."""
    return books.charged - total.revenue, books.provider_cost - total.provider_cost
