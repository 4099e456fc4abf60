"""Invoices of ours at Stripe: made step by step, so that what broke off in the midst is gone on with."""

from datetime import datetime
from typing import TYPE_CHECKING

from monkey_coder_server.adapters.payments.acting import REMEMBERED
from monkey_coder_server.adapters.payments.looking import invoice_seen
from monkey_coder_server.adapters.payments.writing import ACCOUNT, CURRENCY, INVOICE, LINE, PAGE, seconds, under
from monkey_coder_server.ports.payments import InvoiceSeen, InvoiceWish

if TYPE_CHECKING:
    from stripe import Invoice, StripeClient
    from stripe.params import InvoiceCreateParams

_PAYMENTS = ["payments"]


def send(client: "StripeClient", wish: InvoiceWish, key: str, now: datetime) -> InvoiceSeen:
    """Make, finalise and send an invoice, or do of that what is not done yet."""
    made = _made_before(client, wish, now) or _draft(client, wish, key)
    if made.status == "draft":
        _add_lines(client, made.id, wish, key)
        made = client.v1.invoices.finalize_invoice(
            made.id, {"auto_advance": True, "expand": _PAYMENTS}, under(key, "finalize")
        )
        if not wish.charge_automatically and made.status == "open":
            made = client.v1.invoices.send_invoice(made.id, {"expand": _PAYMENTS}, under(key, "send"))
    return invoice_seen(made)


def void(client: "StripeClient", invoice_ref: str, key: str) -> InvoiceSeen:
    """Take an unpaid invoice back; harmless when it is void."""
    there = client.v1.invoices.retrieve(invoice_ref, {"expand": _PAYMENTS})
    if there.status != "void":
        there = client.v1.invoices.void_invoice(invoice_ref, {"expand": _PAYMENTS}, under(key))
    return invoice_seen(there)


def _made_before(client: "StripeClient", wish: InvoiceWish, now: datetime) -> "Invoice | None":
    """Ours of that id, however long ago it was made: keys are forgotten after a day."""
    listed = client.v1.invoices.list(
        {
            "customer": wish.customer_id,
            "created": {"gte": seconds(now - REMEMBERED)},
            "limit": PAGE,
            "expand": ["data.payments"],
        }
    )
    for each in listed.auto_paging_iter():
        if each.metadata is not None and each.metadata.to_dict().get(INVOICE) == wish.invoice_id:
            return each
    return None


def _draft(client: "StripeClient", wish: InvoiceWish, key: str) -> "Invoice":
    params: InvoiceCreateParams = {
        "customer": wish.customer_id,
        "currency": CURRENCY,
        "auto_advance": False,
        "pending_invoice_items_behavior": "exclude",
        "metadata": {ACCOUNT: wish.account_id, INVOICE: wish.invoice_id},
        "automatic_tax": {"enabled": wish.tax},
    }
    if wish.charge_automatically:
        params["collection_method"] = "charge_automatically"
    else:
        params |= {"collection_method": "send_invoice", "days_until_due": wish.days_until_due}
    return client.v1.invoices.create(params, under(key, "draft"))


def _add_lines(client: "StripeClient", invoice_ref: str, wish: InvoiceWish, key: str) -> None:
    """Those that are not there yet: each knows its place."""
    listed = client.v1.invoice_items.list({"invoice": invoice_ref, "limit": PAGE})
    there = {(each.metadata.to_dict() if each.metadata else {}).get(LINE) for each in listed.auto_paging_iter()}
    for place, line in enumerate(wish.lines):
        if str(place) not in there:
            client.v1.invoice_items.create(
                {
                    "customer": wish.customer_id,
                    "invoice": invoice_ref,
                    "amount": line.cents,
                    "currency": CURRENCY,
                    "description": line.description,
                    "tax_behavior": "exclusive",
                    "metadata": {LINE: str(place)},
                },
                under(key, f"line-{place}"),
            )
