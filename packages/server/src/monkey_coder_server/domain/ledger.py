"""The rules of the books: a chart of accounts, movements that sum to zero, and holds that resolve at most once.

Amounts are nano-dollars. A positive entry is a credit, a negative one a debit; so a customer's credit, what we owe
providers and revenue stand positive, promotions, cost and losses negative, and all entries together are 0.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple


class AccountKind(StrEnum):
    """The chart of accounts."""

    CUSTOMER_CREDIT = "customer_credit"
    """What a customer has left; one account each, owned by the account id. Its sum is the wallet's balance."""
    PROMOTIONS = "promotions"
    """Credit given away: trials and grants."""
    CASH = "cash"
    """What customers paid for credit."""
    BREAKAGE = "breakage"
    """Credit that expired unspent."""
    REVENUE = "revenue"
    """Prices of served requests, whether or not the customer paid them in full."""
    PROVIDER_COST = "provider_cost"
    """What served requests cost us."""
    PROVIDER_PAYABLE = "provider_payable"
    """What we owe a provider; one account each, owned by the provider's name."""
    HOUSE_LOSS = "house_loss"
    """Prices beyond the hold, provider costs of requests nobody is charged for, and money taken back of us twice."""
    TAX_PAYABLE = "tax_payable"
    """Tax in what customers paid, owed to the state; owned by the payment's id, as the next two."""
    REFUND_PAYABLE = "refund_payable"
    """What is on its way back to a customer's card and not certain there."""
    DISPUTED = "disputed"
    """While a bank decides: credit put aside (positive) against the money the bank holds (negative)."""
    CUSTOMER_DEBT = "customer_debt"
    """What was taken back of us beyond a customer's credit; negative; owned by the account id, as the next three."""
    CUSTOMER_RECEIVABLE = "customer_receivable"
    """What is invoiced and not paid; negative."""
    CREDIT_LINE = "credit_line"
    """What a credit line has extended and is not invoiced; negative."""
    ROUNDING = "rounding"
    """Used on a credit line, and less than a cent: left for the next invoice."""


class Account(NamedTuple):
    """One account of the books; `owner` is empty for the house's own."""

    kind: AccountKind
    owner: str = ""


class Entry(NamedTuple):
    """One line of a transaction."""

    account: Account
    amount: int


_new = tuple.__new__
"""Makes a named tuple in half the time its class takes."""


def grant_id(account_id: str, idempotency_key: str) -> str:
    """How the books call a grant, and whoever takes it back."""
    return f"grant:{account_id}:{idempotency_key}"


class GrantKind(StrEnum):
    """Where a customer's credit comes from."""

    TRIAL = "trial"
    PROMO = "promo"
    PURCHASE = "purchase"
    PLAN = "plan"
    """Included in a plan that is paid for."""
    CREDIT_LINE = "credit_line"
    """Spent now, invoiced later."""
    REFUND = "refund"
    """A charge given back."""


DEFAULT_PRIORITY = 100
"""Grants are spent in the order of their priorities, the lowest number first, then in the order they expire in."""
REFUND_PRIORITY = 0

_CASH = Account(AccountKind.CASH)
_BREAKAGE = Account(AccountKind.BREAKAGE)
_PROMOTIONS = Account(AccountKind.PROMOTIONS)
_REVENUE = Account(AccountKind.REVENUE)
_PROVIDER_COST = Account(AccountKind.PROVIDER_COST)
_HOUSE_LOSS = Account(AccountKind.HOUSE_LOSS)
_SOURCES = {AccountKind.CASH, AccountKind.PROMOTIONS, AccountKind.CREDIT_LINE}
"""Where grants come from."""


def grant_entries(account_id: str, amount: int, kind: GrantKind = GrantKind.PROMO) -> tuple[Entry, ...]:
    """Credit a customer gets, booked against cash when it is bought, against its line, else against promotions.

    Raises `ValueError` unless `amount` is positive.
    """
    if amount <= 0:
        raise ValueError("A grant must be more than zero.")
    sources = {GrantKind.PURCHASE: _CASH, GrantKind.CREDIT_LINE: Account(AccountKind.CREDIT_LINE, account_id)}
    return _entries((_credit_of(account_id), amount), (sources.get(kind, _PROMOTIONS), -amount))


def expire_entries(account_id: str, amount: int) -> tuple[Entry, ...]:
    """Credit whose time is over. Raises `ValueError` unless `amount` is positive."""
    if amount <= 0:
        raise ValueError("What expires must be more than zero.")
    return _entries((_credit_of(account_id), -amount), (_BREAKAGE, amount))


def refund_entries(undone: Iterable[Entry], account_id: str, amount: int, *, refunded: int = 0) -> tuple[Entry, ...]:
    """Take back `amount` of what a grant or settlement moved of an account's credit; `refunded` was taken back before.

    A charge comes back from revenue, a grant goes back to where it came from. Raises `ValueError` when it moved nothing
    of this account, or less than all refunds together.
    """
    lines = tuple(undone)
    moved = sum(line.amount for line in lines if line.account == _credit_of(account_id))
    if not moved or not 0 < amount <= abs(moved) - refunded:
        raise ValueError("A refund cannot be more than what is left of the movement it undoes.")
    if moved < 0:
        return _entries((_credit_of(account_id), amount), (_REVENUE, -amount))
    source = next(line.account for line in lines if line.account.kind in _SOURCES)
    return _entries((_credit_of(account_id), -amount), (source, amount))


def settle_entries(  # noqa: PLR0913 - the figures of a settlement, named
    account_id: str,
    *,
    price: int,
    charged: int,
    provider: str,
    cost: int,
    elsewhere: Mapping[str, int] | None = None,
) -> tuple[Entry, ...]:
    """A served request: the customer pays `charged` of its `price`, the house bears the rest and owes the provider.

    `elsewhere` is the part of the cost that is owed to other providers, by name.
    """
    if not 0 <= charged <= price or cost < 0:
        raise ValueError("A settlement needs 0 <= charged <= price and a cost of zero or more.")
    return _entries(
        (_credit_of(account_id), -charged),
        (_HOUSE_LOSS, charged - price),
        (_REVENUE, price),
        (_PROVIDER_COST, -cost),
        *_payable(provider, cost, elsewhere or {}),
    )


def void_entries(provider: str | None, cost: int, elsewhere: Mapping[str, int] | None = None) -> tuple[Entry, ...]:
    """A request nobody is charged for; what providers bill for it all the same is the house's loss."""
    if cost < 0:
        raise ValueError("A provider's cost cannot be negative.")
    return _entries(
        (_HOUSE_LOSS, -cost),
        *_payable(provider or "unknown", cost, elsewhere or {}),
    )


def correction_entries(provider: str, difference: int) -> tuple[Entry, ...]:
    """What a provider turned out to bill beyond what was booked for it; negative when it bills less."""
    return _entries(
        (Account(AccountKind.PROVIDER_PAYABLE, provider), difference),
        (_PROVIDER_COST, -difference),
    )


def _payable(provider: str, cost: int, elsewhere: Mapping[str, int]) -> Iterable[tuple[Account, int]]:
    """What is owed to whom. Raises `ValueError` when the others' parts are negative or more than the whole."""
    if not elsewhere:
        return ((Account(AccountKind.PROVIDER_PAYABLE, provider), cost),)
    rest = cost - sum(elsewhere.values())
    if rest < 0 or any(part < 0 for part in elsewhere.values()):
        raise ValueError("The parts of a cost cannot be negative or more than the whole.")
    parts = {**elsewhere, provider: elsewhere.get(provider, 0) + rest}
    return ((Account(AccountKind.PROVIDER_PAYABLE, name), part) for name, part in parts.items())


def _credit_of(account_id: str) -> Account:
    return Account(AccountKind.CUSTOMER_CREDIT, account_id)


def _entries(*lines: tuple[Account, int]) -> tuple[Entry, ...]:
    """The lines that move something."""
    return tuple([_new(Entry, line) for line in lines if line[1]])


class HoldState(StrEnum):
    """A hold leaves `OPEN` at most once, and never comes back."""

    OPEN = "open"
    SETTLED = "settled"
    VOIDED = "voided"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """A reservation and what became of it."""

    amount: int
    state: HoldState = HoldState.OPEN
    charged: int = 0


@dataclass(frozen=True, slots=True)
class Funds:
    """A wallet's two figures. Invariant: 0 <= held <= balance."""

    balance: int = 0
    held: int = 0

    @property
    def available(self) -> int:
        """What a new hold can take."""
        return self.balance - self.held


def clamp(price: int, hold: int) -> tuple[int, int]:
    """What the customer is charged of a price, at most the hold, and the house's loss."""
    charged = min(price, hold)
    return charged, price - charged


def fair_share(free: int, sharers: int) -> int:
    """The most one of so many processes takes of free credit at once: half of an equal part, so that all find some."""
    return free // 2 // sharers


def add(funds: Funds, amount: int) -> Funds:
    """The funds after a grant."""
    return replace(funds, balance=funds.balance + amount)


def reserve(funds: Funds, amount: int) -> tuple[Funds, HoldRecord] | None:
    """The funds with `amount` held, and the hold; None when they do not cover it."""
    if amount < 0 or amount > funds.available:
        return None
    return replace(funds, held=funds.held + amount), HoldRecord(amount)


def resolve(funds: Funds, hold: HoldRecord, outcome: HoldState, price: int = 0) -> tuple[Funds, HoldRecord]:
    """The funds and the hold after it is settled (for at most its amount), voided or expired.

    A hold that is not open any more stays as it is, whatever is asked.
    """
    if hold.state is not HoldState.OPEN or outcome is HoldState.OPEN:
        return funds, hold
    charged = clamp(price, hold.amount)[0] if outcome is HoldState.SETTLED else 0
    after = Funds(balance=funds.balance - charged, held=funds.held - hold.amount)
    return after, replace(hold, state=outcome, charged=charged)


def cap_periods(at: datetime) -> tuple[str, str]:
    """The UTC day (`2026-11-23`) and month (`2026-11`) a spend at `at` counts for. `at` must carry its time zone."""
    if at.tzinfo is None:
        raise ValueError("The time of a spend must carry its time zone.")
    day = at.astimezone(UTC).date().isoformat()
    return day, day[:7]
