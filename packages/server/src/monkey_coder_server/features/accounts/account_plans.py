"""Which plan an account is put on, and what a new one starts with."""

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.plans import DEFAULT_PLAN, Plan, PlanSpan, put_on
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.operator_trail import tell
from monkey_coder_server.features.accounts.policy import PLANS_OF_OLD
from monkey_coder_server.web.operating import Actor


async def chosen_plan(use: Dependencies, plan_id: str | None) -> Plan:
    """A plan that accounts can be put on now; the prepaid one for none and for a name of old that nobody wrote.

    Raises `InvalidRequest`.
    """
    plans = {plan.plan_id: plan for plan in await use.plans.every() if plan.offered(use.clock.now())}
    if plan_id is None or (plan_id in PLANS_OF_OLD and plan_id not in plans):
        return plans[DEFAULT_PLAN]
    if plan_id not in plans:
        listed = ", ".join([plan.plan_id for plan in plans.values() if plan.listed])
        message = f"The field `plan` must be one of {listed}."
        raise InvalidRequest(message)
    return plans[plan_id]


async def trial_credit(use: Dependencies) -> int:
    """What a new account starts with, in nano-dollars: as the prepaid plan says, else the gateway's setting."""
    stated = (await use.plans.every())[0].trial_credit
    return use.trial_credit if stated is None else stated


async def set_plan(use: Dependencies, by: Actor, account_id: str, plan_id: str, *, reason: str) -> Plan:
    """Put an account on a plan from now on. What is under way keeps the prices it was held at.

    Raises `InvalidRequest`, `NotFound`.
    """
    plan, now = await chosen_plan(use, plan_id), use.clock.now()
    span = PlanSpan(plan_id=plan.plan_id, starts_at=now, source=by.name)
    await use.account_plans.change(account_id, lambda history: put_on(history, span))
    await tell(use, by, "plan.set", target=account_id, account_id=account_id, details=f"{plan.plan_id}; {reason}")
    return plan
