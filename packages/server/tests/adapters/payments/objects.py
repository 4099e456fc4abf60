"""Objects of Stripe as it sends them, cut down to what is read, with ids that no log may hold."""

from typing import Any

PAYMENT, CUSTOMER, CHARGE, METHOD = "pi_3canary", "cus_Canary7", "ch_3canary", "pm_1canary"
REFUND, DISPUTE, INVOICE, SUBSCRIPTION, PAGE = "re_3canary", "dp_1canary", "in_1canary", "sub_1canary", "cs_test_canary"
IDS = (PAYMENT, CUSTOMER, CHARGE, METHOD, REFUND, DISPUTE, INVOICE, SUBSCRIPTION, PAGE, "req_canary")
CARD = {"brand": "visa", "last4": "4242", "exp_month": 3, "exp_year": 2031}


def customer(**changes: Any) -> dict[str, Any]:
    base = {"id": CUSTOMER, "object": "customer", "livemode": False, "metadata": {"account_id": "acct_1"}}
    return base | {"invoice_settings": {"default_payment_method": None}} | changes


def payment(**changes: Any) -> dict[str, Any]:
    return {
        "id": PAYMENT,
        "object": "payment_intent",
        "status": "succeeded",
        "amount_received": 1_150,
        "currency": "usd",
        "latest_charge": CHARGE,
        "customer": customer(),
        "metadata": {"account_id": "acct_1", "purpose": "credit", "reference": "buy_1"},
        "last_payment_error": None,
    } | changes


def refund(**changes: Any) -> dict[str, Any]:
    base = {"id": REFUND, "object": "refund", "amount": 300, "status": "succeeded", "metadata": {}}
    return base | {"payment_intent": PAYMENT, "created": 1_790_000_000} | changes


def dispute(status: str, *moved: int) -> dict[str, Any]:
    transactions = [{"object": "balance_transaction", "amount": amount} for amount in moved]
    return {
        "id": DISPUTE, "object": "dispute", "amount": 1_150, "status": status, "balance_transactions": transactions,
        "payment_intent": PAYMENT,
    }  # fmt: skip


def invoice(**changes: Any) -> dict[str, Any]:
    return {
        "id": INVOICE,
        "object": "invoice",
        "status": "paid",
        "total": 2_300,
        "amount_paid": 2_300,
        "currency": "usd",
        "period_start": 1_790_000_000,
        "period_end": 1_792_597_600,
        "customer": CUSTOMER,
        "hosted_invoice_url": "https://invoice.stripe.com/i/canary",
        "metadata": {"account_id": "acct_1", "invoice_id": "inv_1"},
        "parent": None,
        "total_taxes": [{"amount": 200}, {"amount": 100}],
        "payments": {"object": "list", "data": [invoice_payment()], "has_more": False, "url": "/v1/invoice_payments"},
    } | changes


def invoice_payment(of: object = INVOICE) -> dict[str, Any]:
    paid_by = {"type": "payment_intent", "payment_intent": PAYMENT}
    return {"id": "inpay_1", "object": "invoice_payment", "payment": paid_by, "invoice": of}


def subscription(**changes: Any) -> dict[str, Any]:
    item = {"object": "subscription_item", "current_period_start": 1_790_000_000, "current_period_end": 1_792_597_600}
    return {
        "id": SUBSCRIPTION,
        "object": "subscription",
        "status": "active",
        "customer": CUSTOMER,
        "cancel_at_period_end": False,
        "items": {"object": "list", "data": [item], "has_more": False, "url": "/v1/subscription_items"},
        "metadata": {"account_id": "acct_1", "purpose": "subscription", "reference": "pro"},
    } | changes


def page(**changes: Any) -> dict[str, Any]:
    base = {"id": PAGE, "object": "checkout.session", "url": "https://checkout.stripe.com/c/canary"}
    return base | {"expires_at": 1_790_000_000, "total_details": None} | changes
