"""The hosted page of a Checkout session, and the bank's question."""

from html import escape

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.pages.html import FOOT, back, company, complaint, document, dollars, row

EVERY = {"day": "per day", "week": "per week", "month": "per month", "year": "per year"}
BUTTONS = {"payment": "Pay", "setup": "Save card", "subscription": "Subscribe"}


def page(account: Account, session: Object, trouble: str = "") -> str:
    """What is bought on the left, how to pay on the right."""
    return document(
        f"{account.name} | Checkout",
        f'<main class="two">{_order(account, session)}{_form(account, session, trouble)}</main>',
    )


def _order(account: Account, session: Object) -> str:
    lines = session["_line_items"]
    recurring = next((line["price"]["recurring"] for line in lines if line["price"]["recurring"]), None)
    what = {"payment": f"Pay {account.name}", "setup": "Save a card", "subscription": f"Subscribe to {account.name}"}
    shown = [row(f"{line['description']}", dollars(line["amount_subtotal"])) for line in lines]
    if lines:
        shown.append('<div class="rule"></div>' + row("Subtotal", dollars(session["amount_subtotal"])))
        if session["automatic_tax"]["enabled"]:
            shown.append(row("Tax", dollars(session["total_details"]["amount_tax"])))
        shown.append('<div class="rule"></div>' + row("Total due today", dollars(session["amount_total"])))
    total = ""
    if lines:
        every = f' <span class="soft small">{EVERY[recurring["interval"]]}</span>' if recurring else ""
        total = f'<div class="total">{dollars(session["amount_total"])}{every}</div>'
    return (
        f"<section><div>{back(session['cancel_url'], 'Back')}{company(account.name)}"
        f'<div class="soft">{escape(what[session["mode"]])}</div>{total}{"".join(shown)}</div></section>'
    )


def _form(account: Account, session: Object, trouble: str) -> str:
    kinds = session["payment_method_types"]
    known = account.objects.get(session["customer"] or "", {})
    email = escape(session["customer_email"] or known.get("email") or "")
    contact = f'<label for="email">Email</label><input type="email" id="email" name="email" value="{email}" required>'
    button = BUTTONS[session["mode"]]
    if session["mode"] == "payment":
        button = f"Pay {dollars(session['amount_total'])}"
    return (
        f'<section><div><h1>Payment details</h1>{complaint(trouble)}<form method="post">{contact}'
        f"{_ways(kinds)}"
        '<label for="number">Card information</label><div class="card">'
        '<input type="text" id="number" name="number" inputmode="numeric" placeholder="4242 4242 4242 4242">'
        '<input type="text" name="expiry" placeholder="MM / YY"><input type="text" name="cvc" placeholder="CVC"></div>'
        '<label for="name">Cardholder name</label><input type="text" id="name" name="name" placeholder="Full name">'
        f'<button id="pay" type="submit">{escape(button)}</button></form>{_hint()}{FOOT}</div></section>'
    )


def _ways(kinds: list[str]) -> str:
    if "us_bank_account" not in kinds:
        return '<input type="hidden" name="way" value="card">'
    ways = (
        ("card", "Card", "checked"),
        ("bank", "Bank, 4 days", ""),
        ("bouncing_bank", "Bank, fails", ""),
    )
    shown = "".join(
        f'<label><input type="radio" name="way" value="{value}" id="way-{value}" {checked}> {text}</label>'
        for value, text, checked in ways
    )
    return f'<label>Payment method</label><div class="ways">{shown}</div>'


def _hint() -> str:
    return (
        '<p class="soft small">Test cards: 4242 4242 4242 4242 pays · 4000 0000 0000 0002 is declined · '
        "4000 0025 0000 3155 asks its bank.</p>"
    )


def closed(account: Account, session: Object) -> str:
    """A session that is over."""
    text = "This payment is complete." if session["status"] == "complete" else "This page has expired."
    return document(account.name, f'<main class="one">{company(account.name)}<h1>{text}</h1>{FOOT}</main>')


def bank(account: Account, intent: Object, trouble: str = "") -> str:
    """The bank asks whether it is its customer who pays."""
    buttons = "".join(
        f'<button class="plain" id="{name}" name="answer" value="{name}">{text}</button> '
        for name, text in (("pass", "Complete authentication"), ("fail", "Fail authentication"))
    )
    body = (
        f'<main class="one"><h1>Your bank wants to know that it is you</h1>{complaint(trouble)}'
        f"<p>{escape(account.name)} asks for {dollars(intent['amount'])}.</p>"
        f'<form method="post">{buttons}</form>{FOOT}</main>'
    )
    return document("3D Secure", body)
