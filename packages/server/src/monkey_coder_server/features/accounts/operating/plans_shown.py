"""A plan as its operator sees it."""

from datetime import datetime

from monkey_coder_protocol.plans import OperatorPlan
from monkey_coder_server.domain.money import NANO_PER_CENT, usd
from monkey_coder_server.domain.plans import Plan


def shown(plan: Plan) -> OperatorPlan:
    """For the wire and for the terminal."""
    return OperatorPlan(
        plan=plan.plan_id,
        name=plan.name,
        kind=plan.kind.value,
        monthly_fee_usd=usd(plan.monthly_fee_cents * NANO_PER_CENT),
        included_credit_usd=usd(plan.included_credit),
        included_priority=plan.included_priority,
        credit_line_usd=usd(plan.credit_line),
        trial_credit_usd=None if plan.trial_credit is None else usd(plan.trial_credit),
        listed=plan.listed,
        offered_from=_moment(plan.offered_from),
        offered_until=_moment(plan.offered_until),
    )


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
