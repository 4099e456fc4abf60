"""`invoices`: what each month came to."""

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.session import Session
from monkey_coder_protocol.invoices import Invoice, InvoiceList

SHOW = "show"


@command(
    "invoices",
    examples=("monkey invoices", "monkey invoices --month 2026-11", "monkey invoices show statement_2026-11"),
)
@click.argument("words", nargs=-1, metavar="[show ID]")
@click.option("--month", metavar="MONTH", help="Only this month, as YYYY-MM.")
@pass_session
def invoices(session: Session, words: tuple[str, ...], month: str | None) -> None:
    """List your invoices, newest first, or show one with its lines.

    A month that was paid from credit is a statement: nothing is due.
    """
    if not words:
        with session.client() as client:
            listing = client.plans.invoices(month)
        session.emit(listing, text=lambda: _table(listing))
        return
    if len(words) != 2 or words[0] != SHOW or month is not None:
        raise click.UsageError("Write `monkey invoices`, or `monkey invoices show ID`.")
    with session.client() as client:
        found = client.plans.invoice(words[1])
    session.emit(found, text=lambda: _shown(found))


def _table(listing: InvoiceList) -> str:
    rows = [
        (each.month, each.state, output.usd(each.charged_usd), output.usd(each.total_usd), each.invoice_id)
        for each in listing.invoices
    ]
    if not rows:
        return "There are no invoices yet: the first comes when a month with usage is over."
    return output.columns(("month", "state", "charged", "invoiced", "invoice"), rows)


def _shown(found: Invoice) -> str:
    pairs = [
        ("invoice", found.invoice_id),
        ("month", found.month),
        ("state", found.state),
        ("charged", output.usd(found.charged_usd)),
        ("invoiced", output.usd(found.total_usd)),
    ]
    told = (("due", found.due_at and found.due_at[:10]), ("paid", found.paid_at and found.paid_at[:10]))
    pairs += [(word, value) for word, value in (*told, ("pay at", found.hosted_url)) if value]
    rows = [(each.description, output.usd(each.exact_usd), output.usd(each.total_usd)) for each in found.lines]
    table = output.columns(("line", "exactly", "invoiced"), rows) if rows else ""
    return "\n\n".join(filter(None, (output.fields(pairs), table)))
