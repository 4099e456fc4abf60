"""Spending limits: who is limited, over what time, in money or tokens; which one refuses a request, and what is left.

A limit is held by an account or the organization it is, by a team or a project of it or by one API key, and counts
everything they spend or only what one model costs them. Days and months are UTC. A request counts for the day it was
admitted on, and until it ends the most it can take is held against every limit that counts it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from monkey_coder_server.domain.errors import BudgetExceeded
from monkey_coder_server.domain.ledger import cap_periods
from monkey_coder_server.domain.money import usd


class HolderKind(StrEnum):
    """Whose spending is limited."""

    ACCOUNT = "account"
    """What the gateway's operator limits."""
    ORGANIZATION = "organization"
    """The same account, by what those who manage it say."""
    TEAM = "team"
    PROJECT = "project"
    KEY = "key"


class Period(StrEnum):
    """Over what time spending is added up."""

    DAY = "day"
    MONTH = "month"
    TOTAL = "total"


class Unit(StrEnum):
    """What is counted: `MONEY` in nano-dollars charged, `TOKENS` in prompt and answer tokens of charged requests."""

    MONEY = "money"
    TOKENS = "tokens"


MODEL_SCOPE = "model"
NEVER = "never"


class Holder(NamedTuple):
    """Who holds a limit; within an account, kind and id name exactly one."""

    kind: HolderKind
    id: str


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `allowed` of a unit in each period. `model` (`provider/model`) narrows it to what that model costs."""

    holder: Holder
    period: Period
    unit: Unit
    allowed: int
    model: str = ""

    @property
    def scope(self) -> str:
        """The kind of its holder, or `model` for a limit on one model of any of them."""
        return MODEL_SCOPE if self.model else self.holder.kind.value

    @property
    def name(self) -> str:
        """What refusals call it: `key_day_cap`, `model_month_tokens`."""
        return f"{self.scope}_{self.period.value}_{'cap' if self.unit is Unit.MONEY else 'tokens'}"


@dataclass(frozen=True, slots=True)
class Standing:
    """A limit with what was spent and is held in the current period, in its unit."""

    limit: Limit
    spent: int = 0
    held: int = 0

    @property
    def left(self) -> int:
        """What new requests can take."""
        return max(self.limit.allowed - self.spent - self.held, 0)


@dataclass(frozen=True, slots=True)
class Need:
    """The most a request can take: nano-dollars, tokens, and the models (`provider/model`) it may come to use."""

    money: int
    tokens: int = 0
    models: tuple[str, ...] = ()

    def of(self, limit: Limit) -> int:
        """What the request takes of a limit, at most; 0 when the limit is on a model it does not use."""
        if limit.model and limit.model not in self.models:
            return 0
        return self.money if limit.unit is Unit.MONEY else self.tokens


def holders(
    account_id: str, key_id: str, project_id: str | None = None, team_id: str | None = None
) -> tuple[Holder, ...]:
    """Whose limits count for a request of a key, widest first."""
    team = () if team_id is None else (Holder(HolderKind.TEAM, team_id),)
    project = () if project_id is None else (Holder(HolderKind.PROJECT, project_id),)
    whole = (Holder(HolderKind.ACCOUNT, account_id), Holder(HolderKind.ORGANIZATION, account_id))
    return (*whole, *team, *project, Holder(HolderKind.KEY, key_id))


def refusing(standings: Iterable[Standing], need: Need) -> Standing | None:
    """The tightest limit a request does not fit in, or None: it covers the least part of what the request asks of it.

    Of limits equally tight, the first.
    """
    short = [standing for standing in standings if need.of(standing.limit) > standing.left]
    return min(short, key=lambda standing: Fraction(standing.left, need.of(standing.limit)), default=None)


def room(standings: Iterable[Standing], models: tuple[str, ...] = ()) -> int | None:
    """How many nano-dollars fit into every money limit that counts for these models; None when there is none."""
    counting = [
        standing.left
        for standing in standings
        if standing.limit.unit is Unit.MONEY and (not standing.limit.model or standing.limit.model in models)
    ]
    return min(counting, default=None)


def named(holder: Holder) -> str:
    """A holder in a sentence to who asks."""
    return {
        HolderKind.ACCOUNT: "this account",
        HolderKind.ORGANIZATION: "this organization",
        HolderKind.TEAM: f"the team {holder.id}",
        HolderKind.PROJECT: f"the project {holder.id}",
        HolderKind.KEY: "this API key",
    }[holder.kind]


def leasable(limit: Limit) -> bool:
    """Whether a slice taken beforehand can honour it: it counts money, whatever model it is spent on."""
    return limit.unit is Unit.MONEY and not limit.model


def period_name(period: Period, at: datetime) -> str:
    """What a counter of the period around a moment is kept under: `2026-11-22`, `2026-11`, `total`."""
    day, month = cap_periods(at)
    return {Period.DAY: day, Period.MONTH: month, Period.TOTAL: Period.TOTAL.value}[period]


def resets_at(period: Period, at: datetime) -> datetime | None:
    """When the period around a moment ends and a new one begins, UTC; None for one that never does."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if period is Period.DAY:
        return day + timedelta(days=1)
    if period is Period.MONTH:
        return day.replace(year=day.year + day.month // 12, month=day.month % 12 + 1, day=1)
    return None


class LimitReached(BudgetExceeded):
    """A limit refused a request that needs up to `needed` of its unit at the moment `at`."""

    def __init__(self, standing: Standing, needed: int, at: datetime) -> None:
        self.standing = standing
        self.at = at
        limit = standing.limit
        super().__init__(
            f"This request needs up to {_amount(limit, needed)}, but {_described(standing, at)} "
            f"{_raised(limit)} Or send a smaller request.",
            facts=_facts(standing, needed, at),
        )


def _described(standing: Standing, at: datetime) -> str:
    """A standing as a clause of a sentence, with its end."""
    limit = standing.limit
    span = "in total" if limit.period is Period.TOTAL else f"per {limit.period.value}"
    end = resets_at(limit.period, at)
    reset = "it never resets" if end is None else f"it resets at {end.strftime('%Y-%m-%d %H:%M')} UTC"
    return (
        f"the limit of {_whose(limit)}, {_amount(limit, limit.allowed)} {span}, has "
        f"{_amount(limit, standing.left)} left ({_amount(limit, standing.spent)} spent, "
        f"{_amount(limit, standing.held)} held by running requests); {reset}."
    )


def _raised(limit: Limit) -> str:
    """Who can do something about a limit. More credit does not lift it."""
    if limit.holder.kind is HolderKind.KEY:
        return "The gateway's operator can raise it, and another key of this account may have more left."
    if limit.holder.kind in {HolderKind.ORGANIZATION, HolderKind.TEAM}:
        return "An owner or admin of the organization can raise it."
    return "The gateway's operator can raise it."


def _whose(limit: Limit) -> str:
    holder = named(limit.holder)
    return f"{holder} for the model {limit.model}" if limit.model else holder


def _amount(limit: Limit, figure: int) -> str:
    return f"{usd(figure)} USD" if limit.unit is Unit.MONEY else f"{figure} tokens"


def _facts(standing: Standing, needed: int, at: datetime) -> dict[str, str]:
    limit, end = standing.limit, resets_at(standing.limit.period, at)
    figures = {
        "limit": limit.allowed,
        "spent": standing.spent,
        "held": standing.held,
        "available": standing.left,
        "needed": needed,
    }
    money = limit.unit is Unit.MONEY
    return {
        "limit": limit.name,
        "scope": limit.scope,
        "holder": limit.holder.kind.value,
        "holder_id": limit.holder.id,
        "period": limit.period.value,
        "unit": limit.unit.value,
        "resets_at": NEVER if end is None else end.isoformat(),
        **({"model": limit.model} if limit.model else {}),
        **{
            f"{name}_{'usd' if money else 'tokens'}": usd(value) if money else str(value)
            for name, value in figures.items()
        },
    }
