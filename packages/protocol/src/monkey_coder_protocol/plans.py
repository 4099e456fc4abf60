"""Plans, and the one an account is on. Money is a decimal USD string, times ISO 8601."""

import msgspec


class PlanInfo(msgspec.Struct, kw_only=True):
    """A plan. `kind` is `prepaid`, `subscription` or `postpaid`; what a kind does not have is `0.00`."""

    plan: str
    name: str
    kind: str
    monthly_fee_usd: str
    included_credit_usd: str
    credit_line_usd: str
    offered_from: str | None = None
    offered_until: str | None = None


class PlanList(msgspec.Struct):
    """`GET /v1/billing/plans`: what can be had now, the prepaid plan first."""

    plans: list[PlanInfo]
    count: int


class SubscriptionInfo(msgspec.Struct, kw_only=True):
    """A plan that is paid for each month. `state` is the payment processor's word."""

    plan: str
    state: str
    period_start: str
    period_end: str
    ends_with_period: bool


class CreditLine(msgspec.Struct, kw_only=True):
    """What may be owed in all, and how much of it can still be spent."""

    line_usd: str
    left_usd: str


class AccountPlan(msgspec.Struct, kw_only=True):
    """`GET /v1/billing/plan`: what the account is on now, and until when if it is known to end."""

    plan: PlanInfo
    since: str | None
    until: str | None
    subscription: SubscriptionInfo | None
    credit_line: CreditLine | None


class OperatorPlan(msgspec.Struct, kw_only=True):
    """A plan as its operator sees it. `trial_credit_usd` null: as the gateway's setting says."""

    plan: str
    name: str
    kind: str
    monthly_fee_usd: str
    included_credit_usd: str
    included_priority: int
    credit_line_usd: str
    trial_credit_usd: str | None
    listed: bool
    offered_from: str | None
    offered_until: str | None


class OperatorPlans(msgspec.Struct):
    """`GET /v1/operator/plans`: all of them, retired ones included."""

    plans: list[OperatorPlan]
    count: int
