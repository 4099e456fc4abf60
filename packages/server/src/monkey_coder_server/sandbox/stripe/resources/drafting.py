"""Invoices being written: what they are made with, their lines, sums and tax."""

from dataclasses import dataclass, field

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.periods import DAY, HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an invoice is made with."""

    customer: Object
    reason: str = "manual"
    sent: bool = False
    days_until_due: int | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    auto_advance: bool = False
    automatic_tax: bool = False
    method: str | None = None
    subscription: Object | None = None
    period: tuple[int, int] | None = None


def draft(account: Account, wish: Draft) -> Object:
    """An invoice without lines."""
    customer, now = wish.customer, account.now()
    start, end = wish.period or (now, now)
    invoice = account.add(
        "in",
        "invoice",
        {
            **_blank(),
            "account_name": account.name,
            "auto_advance": wish.auto_advance,
            "automatic_tax": automatic_tax(enabled=wish.automatic_tax),
            "automatically_finalizes_at": now + HOUR if wish.auto_advance else None,
            "billing_reason": wish.reason,
            "collection_method": "send_invoice" if wish.sent else "charge_automatically",
            "currency": "usd",
            "customer": customer["id"],
            "customer_address": customer["address"],
            "customer_email": customer["email"],
            "customer_name": customer["name"],
            "customer_phone": customer["phone"],
            "default_payment_method": wish.method,
            "description": wish.description,
            "due_date": now + (wish.days_until_due or 0) * DAY if wish.sent else None,
            "lines": {"object": "list", "data": [], "has_more": False, "url": ""},
            "metadata": wish.metadata,
            "parent": _parent(wish.subscription),
            "payment_settings": {
                "default_mandate": None,
                "payment_method_options": None,
                "payment_method_types": None,
            },
            "period_end": end,
            "period_start": start,
            "status": "draft",
            "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        },
    )
    invoice["lines"]["url"] = f"/v1/invoices/{invoice['id']}/lines"
    reckon(account, invoice)
    return invoice


def _blank() -> Object:
    """What a new invoice has no answer to yet."""
    return {
        "account_country": "US",
        "account_tax_ids": None,
        "amount_overpaid": 0,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "custom_fields": None,
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_source": None,
        "default_tax_rates": [],
        "discounts": [],
        "effective_at": None,
        "ending_balance": None,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "next_payment_attempt": None,
        "number": None,
        "on_behalf_of": None,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "test_clock": None,
        "webhooks_delivered_at": None,
    }


def automatic_tax(*, enabled: bool) -> Object:
    """The hash of that name."""
    return {
        "disabled_reason": None,
        "enabled": enabled,
        "liability": {"type": "self"} if enabled else None,
        "provider": "stripe" if enabled else None,
        "status": "complete" if enabled else None,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line. `source` is the id of the invoice item or subscription item behind it."""

    description: str | None
    unit_cents: int
    quantity: int = 1
    price: Object | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    period: tuple[int, int] | None = None
    source: str = ""


def add_line(account: Account, invoice: Object, line: Line) -> None:
    """Put a line on a draft."""
    start, end = line.period or (account.now(), account.now())
    kind = "subscription_item_details" if line.source.startswith("si_") else "invoice_item_details"
    named = "subscription_item" if line.source.startswith("si_") else "invoice_item"
    plan = None
    if invoice["parent"] and kind == "subscription_item_details":
        plan = invoice["parent"]["subscription_details"]["subscription"]
    details = {named: line.source, "proration": False, "proration_details": None, "subscription": plan}
    parent = {"type": kind, "invoice_item_details": None, "subscription_item_details": None, kind: details}
    cents = line.unit_cents * line.quantity
    added = {
        "id": account.new_id("il"),
        "object": "line_item",
        "amount": cents,
        "currency": invoice["currency"],
        "description": line.description,
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice["id"],
        "livemode": account.live,
        "metadata": line.metadata,
        "parent": parent,
        "period": {"end": end, "start": start},
        "pretax_credit_amounts": [],
        "pricing": _pricing(line),
        "quantity": line.quantity,
        "quantity_decimal": str(line.quantity),
        "subscription": plan,
        "subtotal": cents,
        "taxes": [],
    }
    invoice["lines"]["data"] = [added, *invoice["lines"]["data"]]
    reckon(account, invoice)


def reckon(account: Account, invoice: Object) -> None:
    """Sums and tax from the lines."""
    subtotal = tax = 0
    for line in invoice["lines"]["data"]:
        subtotal += line["amount"]
        if invoice["automatic_tax"]["enabled"]:
            due = tax_on(account, line["amount"])
            line["taxes"] = [_tax(due, line["amount"])]
            tax += due
    total = subtotal + tax
    paid = total if invoice["status"] == "paid" else 0
    invoice |= {
        "amount_due": total,
        "amount_paid": paid,
        "amount_remaining": total - paid,
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": subtotal,
        "total_pretax_credit_amounts": [],
        "total_taxes": [_tax(tax, subtotal)] if invoice["automatic_tax"]["enabled"] else [],
    }


def tax_on(account: Account, cents: int) -> int:
    """Tax on top of an amount, rounded half up."""
    return (cents * account.tax_basis_points + 5_000) // 10_000


def _parent(subscription: Object | None) -> Object | None:
    if subscription is None:
        return None
    details = {"metadata": dict(subscription["metadata"]), "subscription": subscription["id"]}
    return {"quote_details": None, "subscription_details": details, "type": "subscription_details"}


def _pricing(line: Line) -> Object | None:
    if line.price is None:
        return {"type": "price_details", "unit_amount_decimal": str(line.unit_cents)}
    return {
        "price_details": {"price": line.price["id"], "product": line.price["product"]},
        "type": "price_details",
        "unit_amount_decimal": str(line.unit_cents),
    }


def _tax(cents: int, taxable: int) -> Object:
    return {
        "amount": cents,
        "tax_behavior": "exclusive",
        "tax_rate_details": {"tax_rate": "txr_simulated"},
        "taxability_reason": "standard_rated",
        "taxable_amount": taxable,
        "type": "tax_rate_details",
    }
