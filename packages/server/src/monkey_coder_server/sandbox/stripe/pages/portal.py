"""The customer portal: plan, card, invoices."""

from html import escape

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.pages.html import FOOT, back, company, document, dollars, tag
from monkey_coder_server.sandbox.stripe.periods import shown


def page(account: Account, session: Object) -> str:
    """Everything a customer sees of what they pay."""
    name = session["customer"]
    customer = account.objects[name]
    who = escape(customer["email"] or customer["name"] or name)
    body = (
        f'<main class="one">{back(session["return_url"], f"Return to {account.name}")}{company(account.name)}'
        f'<h1>Billing</h1><p class="soft">{who}</p>'
        f"{_plans(account, name)}{_cards(account, customer)}{_invoices(account, name)}{FOOT}</main>"
    )
    return document(f"{account.name} | Billing", body)


def _plans(account: Account, customer: str) -> str:
    rows = "".join(
        _plan(account, subscription)
        for subscription in account.all("subscription", customer=customer)
        if subscription["status"] != "canceled"
    )
    return f"<h2>Current plan</h2>{rows}" if rows else ""


def _plan(account: Account, subscription: Object) -> str:
    item = subscription["items"]["data"][0]
    name = account.objects[item["price"]["product"]]["name"]
    price = f"{dollars(item['price']['unit_amount'] * item['quantity'])} per {item['price']['recurring']['interval']}"
    ends = shown(item["current_period_end"])
    if subscription["cancel_at_period_end"]:
        when, verb, text = f"Ends on {ends}", "resume", "Renew plan"
    else:
        when, verb, text = f"Renews on {ends}", "cancel", "Cancel plan"
    return (
        f'<table><tr><td><b>{escape(name)}</b> {tag(subscription["status"])}<br><span class="soft small">{price} · '
        f'{when}</span></td><td><form method="post"><input type="hidden" name="subscription" '
        f'value="{subscription["id"]}"><button class="plain" id="{verb}" name="do" value="{verb}">{text}</button>'
        "</form></td></tr></table>"
    )


def _cards(account: Account, customer: Object) -> str:
    default = customer["invoice_settings"]["default_payment_method"]
    rows = ""
    for method in account.all("payment_method", customer=customer["id"], type="card"):
        card = method["card"]
        mark = f" {tag('default')}" if method["id"] == default else ""
        rows += (
            f"<tr><td>{escape(card['brand'].capitalize())} •••• {card['last4']}{mark}<br>"
            f'<span class="soft small">Expires {card["exp_month"]:02}/{card["exp_year"]}</span></td>'
            f'<td><form method="post"><input type="hidden" name="method" value="{method["id"]}">'
            '<button class="plain" name="do" value="default">Make default</button> '
            '<button class="plain" name="do" value="detach">Remove</button></form></td></tr>'
        )
    rows = rows or '<tr><td class="soft">No saved card</td><td></td></tr>'
    return f"<h2>Payment method</h2><table>{rows}</table>"


def _invoices(account: Account, customer: str) -> str:
    rows = "".join(
        f'<tr><td><a href="{escape(invoice["hosted_invoice_url"])}">{shown(invoice["created"])}</a></td>'
        f"<td>{escape(invoice['number'])}</td><td>{tag(invoice['status'])}</td><td>{dollars(invoice['total'])}</td></tr>"
        for invoice in reversed(account.all("invoice", customer=customer))
        if invoice["status"] != "draft"
    )
    rows = rows or '<tr><td class="soft">No invoices yet</td><td></td></tr>'
    return f'<h2>Invoice history</h2><table id="invoices">{rows}</table>'
