"""Subscriptions: begun by a paid session, renewed, missed and ended as time passes."""

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.listing import page
from monkey_coder_server.sandbox.stripe.parameters import Parameters
from monkey_coder_server.sandbox.stripe.periods import DAY, HOUR, months_later
from monkey_coder_server.sandbox.stripe.refusals import Refusal, invalid
from monkey_coder_server.sandbox.stripe.resources import billing, drafting, payment_methods
from monkey_coder_server.sandbox.stripe.routing import Route

RETRY_DAYS = (3, 5, 7)
"""Days between tries after a failed renewal; after the last the subscription ends."""
STATES = ("active", "all", "canceled", "ended", "incomplete", "past_due", "trialing", "unpaid")


def start(  # noqa: PLR0913 - all of it is what a subscription is begun with
    account: Account,
    customer: Object,
    price: Object,
    quantity: int,
    *,
    intent: Object,
    metadata: dict[str, str],
    description: str | None,
    automatic_tax: bool,
) -> Object:
    """A subscription whose first period `intent` has paid."""
    now = account.now()
    subscription = account.add(
        "sub",
        "subscription",
        {
            **_blank(),
            "automatic_tax": drafting.automatic_tax(enabled=automatic_tax),
            "billing_cycle_anchor": now,
            "customer": customer["id"],
            "default_payment_method": intent["payment_method"],
            "description": description,
            "items": {"object": "list", "data": [], "has_more": False, "url": ""},
            "metadata": metadata,
            "start_date": now,
            "status": "active",
        },
    )
    subscription["items"]["data"] = [_item(account, subscription, price, quantity)]
    subscription["items"]["url"] = f"/v1/subscription_items?subscription={subscription['id']}"
    account.emit("customer.subscription.created", subscription)
    invoice = _invoice(account, subscription, "subscription_create", (now, now))
    billing.finalize(account, invoice, intent=intent)
    _await_end(account, subscription)
    return subscription


def _blank() -> Object:
    """What a new subscription has no answer to yet."""
    return {
        "application": None,
        "application_fee_percent": None,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"flexible": None, "type": "flexible"},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "reason": None},
        "collection_method": "charge_automatically",
        "currency": "usd",
        "days_until_due": None,
        "default_source": None,
        "default_tax_rates": [],
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "latest_invoice": None,
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": None,
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "test_clock": None,
        "transfer_data": None,
        "trial_end": None,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}},
        "trial_start": None,
    }


def _item(account: Account, subscription: Object, price: Object, quantity: int) -> Object:
    recurring = price["recurring"]
    plan = {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": account.live,
        "metadata": {},
        "meter": None,
        "nickname": None,
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
    return {
        "id": account.new_id("si"),
        "object": "subscription_item",
        "billed_until": None,
        "billing_thresholds": None,
        "created": account.now(),
        "current_period_end": _period_end(subscription, recurring, 1),
        "current_period_start": account.now(),
        "discounts": [],
        "metadata": {},
        "plan": plan,
        "price": price,
        "quantity": quantity,
        "subscription": subscription["id"],
        "tax_rates": [],
    }


def _period_end(subscription: Object, recurring: Object, periods: int) -> int:
    count, anchor = int(recurring["interval_count"]) * periods, int(subscription["billing_cycle_anchor"])
    if recurring["interval"] in {"month", "year"}:
        return months_later(anchor, count * (12 if recurring["interval"] == "year" else 1))
    return anchor + count * DAY * (7 if recurring["interval"] == "week" else 1)


def _invoice(account: Account, subscription: Object, reason: str, period: tuple[int, int]) -> Object:
    """A draft for the current period. Its own period is the one before, as Stripe has it; its line's is this one."""
    item = subscription["items"]["data"][0]
    invoice = drafting.draft(
        account,
        drafting.Draft(
            customer=account.objects[subscription["customer"]],
            reason=reason,
            auto_advance=True,
            automatic_tax=subscription["automatic_tax"]["enabled"],
            subscription=subscription,
            period=period,
        ),
    )
    line = drafting.Line(
        description=f"{item['quantity']} x {account.objects[item['price']['product']]['name']}",
        unit_cents=item["price"]["unit_amount"],
        quantity=item["quantity"],
        price=item["price"],
        metadata=dict(subscription["metadata"]),
        period=(item["current_period_start"], item["current_period_end"]),
        source=item["id"],
    )
    drafting.add_line(account, invoice, line)
    subscription["latest_invoice"] = invoice["id"]
    account.emit("invoice.created", invoice)
    return invoice


def _await_end(account: Account, subscription: Object) -> None:
    item = subscription["items"]["data"][0]
    ends = item["current_period_end"]
    account.later(max(0, ends - account.now()), lambda: _renew(account, subscription, ends))


def _renew(account: Account, subscription: Object, ends: int) -> None:
    item = subscription["items"]["data"][0]
    if subscription["status"] == "canceled" or item["current_period_end"] != ends:
        return
    if subscription["cancel_at_period_end"]:
        end(account, subscription)
        return
    past = (item["current_period_start"], ends)
    periods = subscription.setdefault("_periods", 1) + 1
    subscription["_periods"] = periods
    item |= {
        "current_period_start": ends,
        "current_period_end": _period_end(subscription, item["price"]["recurring"], periods),
    }
    account.emit("customer.subscription.updated", subscription, {"items": None})
    invoice = _invoice(account, subscription, "subscription_cycle", past)
    account.later(HOUR, lambda: _collect(account, subscription, invoice, 0))
    _await_end(account, subscription)


def _collect(account: Account, subscription: Object, invoice: Object, tries: int) -> None:
    if subscription["status"] == "canceled" or invoice["status"] not in {"draft", "open"}:
        return
    if invoice["status"] == "draft":
        billing.finalize(account, invoice)
    try:
        billing.pay(account, invoice, None, away=True)
    except Refusal:
        if tries == len(RETRY_DAYS):
            end(account, subscription, reason="payment_failed")
            return
        wait = RETRY_DAYS[tries] * DAY
        invoice["next_payment_attempt"] = account.now() + wait
        account.change(subscription, "customer.subscription.updated", status="past_due")
        account.later(wait, lambda: _collect(account, subscription, invoice, tries + 1))
        return
    account.change(subscription, "customer.subscription.updated", status="active")


def end(account: Account, subscription: Object, *, reason: str = "cancellation_requested") -> None:
    """End a subscription now."""
    if subscription["status"] == "canceled":
        return
    subscription |= {
        "canceled_at": subscription["canceled_at"] or account.now(),
        "ended_at": account.now(),
        "status": "canceled",
    }
    subscription["cancellation_details"] = subscription["cancellation_details"] | {"reason": reason}
    account.emit("customer.subscription.deleted", subscription)


def stop_renewing(account: Account, subscription: Object, *, stop: bool) -> None:
    """End it with the period that is paid for, or go on after all."""
    item = subscription["items"]["data"][0]
    account.change(
        subscription,
        "customer.subscription.updated",
        cancel_at_period_end=stop,
        cancel_at=item["current_period_end"] if stop else None,
        canceled_at=account.now() if stop else None,
    )


def update(account: Account, parameters: Parameters, name: str) -> Object:
    """`POST /v1/subscriptions/{id}`."""
    subscription = account.get("subscription", name)
    stop = parameters.given_flag("cancel_at_period_end")
    metadata = parameters.metadata(subscription["metadata"])
    method = parameters.text("default_payment_method")
    parameters.close()
    if subscription["status"] == "canceled":
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    fields: Object = {"metadata": metadata}
    if method is not None:
        fields["default_payment_method"] = payment_methods.of_customer(account, method, subscription["customer"])["id"]
    account.change(subscription, "customer.subscription.updated", **fields)
    if stop is not None and stop != subscription["cancel_at_period_end"]:
        stop_renewing(account, subscription, stop=stop)
    return subscription


def cancel(account: Account, parameters: Parameters, name: str) -> Object:
    """`DELETE /v1/subscriptions/{id}`."""
    details = parameters.part("cancellation_details")
    comment = details.text("comment")
    parameters.close()
    subscription = account.get("subscription", name)
    if subscription["status"] == "canceled":
        raise Refusal(404, f"No such subscription: '{name}'", param="id", code="resource_missing")
    subscription["cancellation_details"] = subscription["cancellation_details"] | {"comment": comment}
    end(account, subscription)
    return subscription


def _retrieve(account: Account, parameters: Parameters, name: str) -> Object:
    parameters.close()
    return account.get("subscription", name)


def _list(account: Account, parameters: Parameters) -> Object:
    customer = parameters.text("customer")
    status = parameters.choice("status", STATES)

    def accepts(item: Object) -> bool:
        fits = status == "all" or item["status"] == (
            {"ended": "canceled"}.get(status, status) if status else item["status"]
        )
        return customer in {None, item["customer"]} and fits and (status is not None or item["status"] != "canceled")

    return page(account, parameters, "subscription", accepts)


ROUTES = (
    Route("GET", "/v1/subscriptions", _list),
    Route("GET", "/v1/subscriptions/{id}", _retrieve),
    Route("POST", "/v1/subscriptions/{id}", update),
    Route("DELETE", "/v1/subscriptions/{id}", cancel),
)
