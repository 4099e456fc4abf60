"""The hosted page of an invoice, and a payment's receipt."""

from html import escape

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.pages.html import FOOT, company, complaint, document, dollars, row, tag
from monkey_coder_server.sandbox.stripe.periods import shown


def page(account: Account, invoice: Object, trouble: str = "") -> str:
    """Lines, sums, and while it is open a form to pay."""
    due = f"<p class='soft'>Due {shown(invoice['due_date'])}</p>" if invoice["due_date"] else ""
    lines = "".join(row(line["description"] or "", dollars(line["amount"])) for line in invoice["lines"]["data"][::-1])
    tax = row("Tax", dollars(invoice["total"] - invoice["subtotal"])) if invoice["total_taxes"] else ""
    body = (
        f'<main class="one">{company(account.name)}<h1>Invoice {escape(invoice["number"] or "draft")} '
        f'{tag(invoice["status"])}</h1><div class="total">{dollars(invoice["amount_due"])}</div>{due}'
        f"<p>To {escape(invoice['customer_name'] or invoice['customer_email'] or '')}</p>"
        f'{lines}<div class="rule"></div>{row("Subtotal", dollars(invoice["subtotal"]))}{tax}'
        f"{row('Total', dollars(invoice['total']))}{_form(trouble) if invoice['status'] == 'open' else ''}{FOOT}</main>"
    )
    return document(f"Invoice {invoice['number']}", body)


def _form(trouble: str) -> str:
    return (
        f'{complaint(trouble)}<form method="post"><label for="number">Card number</label>'
        '<input type="text" id="number" name="number" placeholder="4242 4242 4242 4242">'
        '<button id="pay">Pay invoice</button></form>'
    )


def receipt(account: Account, charge: Object) -> str:
    """What was paid, and with what."""
    kind = charge["payment_method_details"]["type"]
    details = charge["payment_method_details"][kind]
    body = (
        f'<main class="one">{company(account.name)}<h1>Receipt</h1>'
        f"{row('Amount paid', dollars(charge['amount_captured']))}{row('Date paid', shown(charge['created']))}"
        f"{row('Payment method', '•••• ' + details['last4'])}"
        f"{row('Refunded', dollars(charge['amount_refunded'])) if charge['amount_refunded'] else ''}{FOOT}</main>"
    )
    return document("Receipt", body)
