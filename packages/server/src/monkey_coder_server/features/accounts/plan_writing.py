"""What an operator does to plans, to the accounts on them, and to credit lines. Every action is in the audit trail."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.plans import Plan, PlanKind
from monkey_coder_server.features.accounts.account_plans import set_plan
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.limits import account_of
from monkey_coder_server.features.accounts.operator_trail import tell
from monkey_coder_server.ports.invoicing import CreditLines, LineStanding
from monkey_coder_server.web.operating import Actor, checked_reason


async def write_plan(use: Dependencies, by: Actor, plan_id: str, changes: dict[str, Any]) -> Plan:
    """Change these fields of a plan, or make one of them. Raises `InvalidRequest`, saying which part cannot be."""
    known = {plan.plan_id: plan for plan in await use.plans.every()}
    try:
        if plan_id in known:
            plan = replace(known[plan_id], **changes)
        else:
            plan = Plan(**{"plan_id": plan_id, "name": plan_id, **changes})
    except ValueError as wrong:
        raise InvalidRequest(str(wrong)) from wrong
    await use.plans.put(plan)
    await tell(use, by, "plan.write", target=plan_id, account_id="", details=_told(plan))
    return plan


async def retire_plan(use: Dependencies, by: Actor, plan_id: str) -> Plan:
    """Put nobody on it any more; who is on it stays. Raises `NotFound`, and `InvalidRequest` for the prepaid one."""
    if plan_id not in {plan.plan_id for plan in await use.plans.every()}:
        raise NotFound("There is no such plan; `admin plans list` lists them.")
    return await write_plan(use, by, plan_id, {"offered_until": use.clock.now()})


async def put_on_plan(  # noqa: PLR0913 - whom, on what, and what it is told with
    use: Dependencies, lines: CreditLines, by: Actor, *, whose: str, plan_id: str, reason: str
) -> tuple[Plan, LineStanding | None]:
    """Put an account on a plan from now on; one that is postpaid gives it its line, unless it has a larger one.

    Raises `NotFound`, `InvalidRequest`.
    """
    account_id, why = await account_of(use, whose), checked_reason(reason)
    plan = await set_plan(use, by, account_id, plan_id, reason=why)
    if plan.kind is not PlanKind.POSTPAID:
        return plan, None
    line = await lines.find(account_id)
    if line is None or line.amount < plan.credit_line:
        line = await _set_line(use, lines, by, account_id, plan.credit_line, reason=why)
    return plan, line


async def set_credit_line(  # noqa: PLR0913 - whose, how much, and what it is told with
    use: Dependencies, lines: CreditLines, by: Actor, *, whose: str, amount: int, reason: str
) -> LineStanding:
    """Make an account's credit line so many nano-dollars in all. Raises `NotFound`, `InvalidRequest`, `Conflict`."""
    return await _set_line(use, lines, by, await account_of(use, whose), amount, reason=checked_reason(reason))


async def _set_line(  # noqa: PLR0913 - as above
    use: Dependencies, lines: CreditLines, by: Actor, account_id: str, amount: int, *, reason: str
) -> LineStanding:
    """Credit that processes took beforehand is recalled, so that a line can be lowered to what is used."""
    await use.recall(account_id)
    line = await lines.set(account_id, amount, use.clock.now())
    told = f"{usd(amount)} USD; {reason}"
    await tell(use, by, "credit_line.set", target=account_id, account_id=account_id, details=told)
    return line


def _told(plan: Plan) -> str:
    figures: Sequence[str] = (
        f"{plan.kind}",
        f"{plan.monthly_fee_cents} cents a month",
        f"{plan.included_credit} included",
        f"{plan.credit_line} line",
        f"trial {plan.trial_credit}",
        "listed" if plan.listed else "unlisted",
        f"from {plan.offered_from} until {plan.offered_until}",
    )
    return ", ".join(figures)
