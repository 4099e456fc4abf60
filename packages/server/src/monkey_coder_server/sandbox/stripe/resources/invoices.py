"""Invoices, invoice items and what was paid of them, as calls make and change them."""

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.listing import given, listed, page
from monkey_coder_server.sandbox.stripe.parameters import Parameters
from monkey_coder_server.sandbox.stripe.periods import HOUR
from monkey_coder_server.sandbox.stripe.refusals import invalid
from monkey_coder_server.sandbox.stripe.resources import billing, drafting, payment_methods
from monkey_coder_server.sandbox.stripe.routing import Route

COLLECTIONS = ("charge_automatically", "send_invoice")


def create(account: Account, parameters: Parameters) -> Object:
    """`POST /v1/invoices`: a draft, with what waited for the customer's next invoice when asked for."""
    customer = account.customer(parameters.needed("customer"))
    sent = parameters.choice("collection_method", COLLECTIONS, "charge_automatically") == "send_invoice"
    days = parameters.number("days_until_due")
    if sent and days is None:
        raise invalid("You must specify `days_until_due` or `due_date` with `send_invoice`.", "days_until_due")
    if not sent and days is not None:
        raise invalid("You can only set `days_until_due` with `send_invoice`.", "days_until_due")
    includes = parameters.choice("pending_invoice_items_behavior", ("exclude", "include"), "exclude") == "include"
    if parameters.text("currency", "usd") != "usd":
        raise invalid("The simulator invoices in usd only.", "currency")
    method = parameters.text("default_payment_method")
    wish = drafting.Draft(
        customer=customer,
        sent=sent,
        days_until_due=days,
        description=parameters.text("description"),
        metadata=parameters.metadata(),
        auto_advance=parameters.flag("auto_advance"),
        automatic_tax=parameters.part("automatic_tax").flag("enabled"),
        method=method and payment_methods.of_customer(account, method, customer["id"])["id"],
    )
    parameters.close()
    if wish.automatic_tax and not customer["address"]:
        raise invalid("The customer's location isn't recognized.", code="customer_tax_location_invalid")
    invoice = drafting.draft(account, wish)
    if includes:
        for item in account.all("invoiceitem", customer=customer["id"], invoice=None):
            _put_on(account, invoice, item)
    account.emit("invoice.created", invoice)
    if wish.auto_advance:
        account.later(HOUR, lambda: billing.advance(account, invoice))
    return invoice


def create_item(account: Account, parameters: Parameters) -> Object:
    """`POST /v1/invoiceitems`: a line for a draft, or for the customer's next invoice."""
    customer = account.customer(parameters.needed("customer"))
    named = parameters.text("invoice")
    invoice = _draft(account, named, "invoice") if named is not None else None
    if invoice is not None and invoice["customer"] != customer["id"]:
        raise invalid("The invoice belongs to another customer.", "invoice")
    line = _line(parameters)
    if parameters.text("currency", "usd") != "usd":
        raise invalid("The simulator invoices in usd only.", "currency")
    parameters.close()
    item = _item(account, customer, line)
    if invoice is not None:
        _put_on(account, invoice, item)
    account.emit("invoiceitem.created", item)
    return item


def add_lines(account: Account, parameters: Parameters, name: str) -> Object:
    """`POST /v1/invoices/{id}/add_lines`."""
    invoice = _draft(account, name)
    lines = [_line(part) for part in parameters.parts("lines")]
    parameters.close()
    if not lines:
        raise invalid("Missing required param: lines.", "lines", "parameter_missing")
    for line in lines:
        _put_on(account, invoice, _item(account, account.objects[invoice["customer"]], line))
    account.emit("invoice.updated", invoice)
    return invoice


def _line(parameters: Parameters) -> drafting.Line:
    if parameters.choice("tax_behavior", ("exclusive", "inclusive", "unspecified"), "exclusive") == "inclusive":
        raise invalid("The simulator adds tax to invoices, it takes none out.", "tax_behavior")
    period = parameters.part("period")
    start, end = period.number("start"), period.number("end")
    return drafting.Line(
        description=parameters.text("description"),
        unit_cents=parameters.needed_number("amount", -(10**12)),
        metadata=parameters.metadata(),
        period=(start, end) if start is not None and end is not None else None,
    )


def _item(account: Account, customer: Object, line: drafting.Line) -> Object:
    start, end = line.period or (account.now(), account.now())
    return account.add(
        "ii",
        "invoiceitem",
        {
            "amount": line.unit_cents,
            "currency": "usd",
            "customer": customer["id"],
            "date": account.now(),
            "description": line.description,
            "discountable": line.unit_cents > 0,
            "discounts": [],
            "invoice": None,
            "metadata": line.metadata,
            "net_amount": line.unit_cents,
            "parent": None,
            "period": {"end": end, "start": start},
            "pricing": {"type": "price_details", "unit_amount_decimal": str(line.unit_cents)},
            "proration": False,
            "quantity": 1,
            "quantity_decimal": "1",
            "tax_rates": [],
            "test_clock": None,
        },
    )


def _put_on(account: Account, invoice: Object, item: Object) -> None:
    item["invoice"] = invoice["id"]
    period = (item["period"]["start"], item["period"]["end"])
    line = drafting.Line(
        description=item["description"],
        unit_cents=item["amount"],
        metadata=dict(item["metadata"]),
        period=period,
        source=item["id"],
    )
    drafting.add_line(account, invoice, line)


def _draft(account: Account, name: str, param: str = "id") -> Object:
    invoice = account.get("invoice", name, param)
    if invoice["status"] != "draft":
        raise invalid("This invoice is no longer editable.", param, "invoice_not_editable")
    return invoice


def finalize(account: Account, parameters: Parameters, name: str) -> Object:
    """`POST /v1/invoices/{id}/finalize`."""
    advances = parameters.given_flag("auto_advance")
    parameters.close()
    invoice = account.get("invoice", name)
    if advances is not None:
        invoice["auto_advance"] = advances
    billing.finalize(account, invoice)
    if invoice["auto_advance"]:
        account.later(0, lambda: billing.collect(account, invoice))
    return invoice


def send(account: Account, parameters: Parameters, name: str) -> Object:
    """`POST /v1/invoices/{id}/send`: finalised first when it is a draft."""
    parameters.close()
    invoice = account.get("invoice", name)
    if invoice["collection_method"] != "send_invoice":
        raise invalid("You can only manually send an invoice if its collection method is 'send_invoice'.")
    if invoice["status"] == "draft":
        billing.finalize(account, invoice)
    account.emit("invoice.sent", invoice)
    return invoice


def pay(account: Account, parameters: Parameters, name: str) -> Object:
    """`POST /v1/invoices/{id}/pay`."""
    away = parameters.flag("off_session", default=True)
    elsewhere = parameters.flag("paid_out_of_band")
    method = parameters.text("payment_method")
    parameters.close()
    invoice = account.get("invoice", name)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid")
    if invoice["status"] == "draft":
        billing.finalize(account, invoice)
    if elsewhere:
        billing.pay_elsewhere(account, invoice)
    elif invoice["status"] != "paid":
        chosen = method and payment_methods.of_customer(account, method, invoice["customer"])
        billing.pay(account, invoice, chosen or None, away=away)
    return invoice


def void(account: Account, parameters: Parameters, name: str) -> Object:
    """`POST /v1/invoices/{id}/void`."""
    parameters.close()
    invoice = account.get("invoice", name)
    billing.void(account, invoice)
    return invoice


def give_up(account: Account, parameters: Parameters, name: str) -> Object:
    """`POST /v1/invoices/{id}/mark_uncollectible`."""
    parameters.close()
    invoice = account.get("invoice", name)
    billing.give_up(account, invoice)
    return invoice


def delete(account: Account, parameters: Parameters, name: str) -> Object:
    """`DELETE /v1/invoices/{id}`: drafts only."""
    parameters.close()
    invoice = _draft(account, name)
    del account.objects[name]
    account.by_kind["invoice"].remove(invoice)
    account.emit("invoice.deleted", invoice)
    return {"id": name, "object": "invoice", "deleted": True}


def _retrieve(account: Account, parameters: Parameters, name: str) -> Object:
    parameters.close()
    return account.get("invoice", name)


def _list(account: Account, parameters: Parameters) -> Object:
    subscription = parameters.text("subscription")
    wanted = given(parameters, ("customer", "collection_method", "status"))

    def accepts(invoice: Object) -> bool:
        of = invoice["parent"]["subscription_details"]["subscription"] if invoice["parent"] else None
        return all(invoice[name] == wanted[name] for name in wanted) and subscription in {None, of}

    return page(account, parameters, "invoice", accepts)


def _lines(account: Account, parameters: Parameters, name: str) -> Object:
    limit = parameters.number("limit", 1) or 10
    after = parameters.text("starting_after")
    parameters.close()
    lines = account.get("invoice", name)["lines"]["data"]
    start = next((place + 1 for place, line in enumerate(lines) if line["id"] == after), 0)
    more = len(lines) > start + limit
    return {
        "object": "list",
        "data": lines[start : start + limit],
        "has_more": more,
        "url": f"/v1/invoices/{name}/lines",
    }


def _payments(account: Account, parameters: Parameters) -> Object:
    invoice = parameters.text("invoice")
    status = parameters.choice("status", ("canceled", "open", "paid"))
    payment = parameters.part("payment")
    kind = payment.choice("type", ("charge", "payment_intent", "payment_record"))
    intent = payment.text("payment_intent")

    def accepts(item: Object) -> bool:
        return (
            invoice in {None, item["invoice"]}
            and status in {None, item["status"]}
            and kind in {None, "payment_intent"}
            and intent in {None, item["payment"]["payment_intent"]}
        )

    return page(account, parameters, "invoice_payment", accepts)


def _items(account: Account, parameters: Parameters) -> Object:
    return listed(account, parameters, "invoiceitem", ("customer", "invoice"))


ROUTES = (
    Route("POST", "/v1/invoiceitems", create_item),
    Route("GET", "/v1/invoiceitems", _items),
    Route("POST", "/v1/invoices", create),
    Route("GET", "/v1/invoices", _list),
    Route("GET", "/v1/invoices/{id}", _retrieve),
    Route("DELETE", "/v1/invoices/{id}", delete),
    Route("GET", "/v1/invoices/{id}/lines", _lines),
    Route("POST", "/v1/invoices/{id}/add_lines", add_lines),
    Route("POST", "/v1/invoices/{id}/finalize", finalize),
    Route("POST", "/v1/invoices/{id}/send", send),
    Route("POST", "/v1/invoices/{id}/pay", pay),
    Route("POST", "/v1/invoices/{id}/void", void),
    Route("POST", "/v1/invoices/{id}/mark_uncollectible", give_up),
    Route("GET", "/v1/invoice_payments", _payments),
)
