"""Ordering a plan: the page its fee is paid on."""

from monkey_coder_server.domain.errors import Conflict, InvalidRequest
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.payments import Purpose
from monkey_coder_server.domain.plans import PlanKind
from monkey_coder_server.features.billing.plans.dependencies import Dependencies
from monkey_coder_server.ports.payments import CheckoutWish


async def checkout_wish(  # noqa: PLR0913 - who wants which plan, and where they go after it
    use: Dependencies, account_id: str, customer_id: str, plan_id: str, *, success_url: str, cancel_url: str
) -> CheckoutWish:
    """What the page is made from. Raises `InvalidRequest` for what cannot be bought, `Conflict` beside another."""
    sold = {
        plan.plan_id: plan
        for plan in await use.plans.every()
        if plan.kind is PlanKind.SUBSCRIPTION and plan.listed and plan.offered(use.clock.now())
    }
    plan = sold.get(plan_id)
    if plan is None:
        names = ", ".join(sold) or "none now"
        message = f"The field `plan` must be one that is sold: {names}. GET /v1/billing/plans lists them."
        raise InvalidRequest(message)
    if any(each.live for each in await use.subscriptions.of_account(account_id)):
        raise Conflict("This account has a subscription; end it in the portal (POST /v1/billing/portal) first.")
    included = f", {usd(plan.included_credit)} USD of credit each month" if plan.included_credit else ""
    return CheckoutWish(
        customer_id,
        account_id,
        Purpose.SUBSCRIPTION,
        plan.monthly_fee_cents,
        f"{plan.name}{included}",
        success_url,
        cancel_url,
        reference=plan.plan_id,
        tax=use.tax,
    )
