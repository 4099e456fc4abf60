"""Which plan an account is put on, and what a new one starts with."""

from collections.abc import Mapping

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.plans import DEFAULT_PLAN, Plan, PlanSpan, plan_at, put_on
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.operator_trail import tell
from monkey_coder_server.features.accounts.policy import PLANS_OF_OLD
from monkey_coder_server.web.operating import Actor


async def chosen_plan(use: Dependencies, plan_id: str | None) -> Plan:
    """What somebody who signs up names; the prepaid plan for none and for a name of old that nobody wrote.

    Raises `InvalidRequest`.
    """
    plans = await _offered(use)
    if plan_id is None or (plan_id in PLANS_OF_OLD and plan_id not in plans):
        return plans[DEFAULT_PLAN]
    return _one_of(plans, plan_id)


async def trial_credit(use: Dependencies) -> int:
    """What a new account starts with, in nano-dollars: as the prepaid plan says, else the gateway's setting."""
    stated = (await use.plans.every())[0].trial_credit
    return use.trial_credit if stated is None else stated


async def plan_now(use: Dependencies, account_id: str) -> str:
    """The plan of an account as the books have it: whoever just changed it elsewhere sees the change."""
    return plan_at(await use.account_plans.history(account_id), use.clock.now())


async def set_plan(use: Dependencies, by: Actor, account_id: str, plan_id: str, *, reason: str) -> Plan:
    """Put an account on a plan from now on. What is under way keeps the prices it was held at.

    Raises `InvalidRequest`, `NotFound`.
    """
    plan, now = _one_of(await _offered(use), plan_id), use.clock.now()
    span = PlanSpan(plan_id=plan.plan_id, starts_at=now, source=by.name)
    await use.account_plans.change(account_id, lambda history: put_on(history, span))
    await tell(use, by, "plan.set", target=account_id, account_id=account_id, details=f"{plan.plan_id}; {reason}")
    return plan


async def _offered(use: Dependencies) -> dict[str, Plan]:
    """Plans that accounts can be put on now."""
    return {plan.plan_id: plan for plan in await use.plans.every() if plan.offered(use.clock.now())}


def _one_of(plans: Mapping[str, Plan], plan_id: str) -> Plan:
    if plan_id not in plans:
        listed = ", ".join([plan.plan_id for plan in plans.values() if plan.listed])
        message = f"The field `plan` must be one of {listed}."
        raise InvalidRequest(message)
    return plans[plan_id]
