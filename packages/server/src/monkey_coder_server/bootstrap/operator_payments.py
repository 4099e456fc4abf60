"""What the operator's commands about payments do, on the books of the configured gateway.

A refund is only ordered here: the gateways that serve send it.
"""

from monkey_coder_protocol.queries import PurchasesQuery
from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.bootstrap.buying import buying_of
from monkey_coder_server.domain.money import usd
from monkey_coder_server.features.accounts.limits import account_of
from monkey_coder_server.features.accounts.operator_trail import tell
from monkey_coder_server.features.billing.buying import history_routes, payment_names, refunds
from monkey_coder_server.settings import Settings
from monkey_coder_server.web.operating import COMMANDS, checked_reason


async def payments(settings: Settings, whose: str) -> list[str]:
    """An account's payments, a line each, newest first. Raises `GatewayError`."""
    async with open_books(settings) as books:
        account_id = await account_of(books.accounts, whose)
        use = buying_of(books, None)
        page = await history_routes.listed_payments(use, account_id, PurchasesQuery())
        found = page.payments
        while page.next:
            page = await history_routes.listed_payments(use, account_id, PurchasesQuery(after=page.next))
            found += page.payments
        await tell(books.accounts, COMMANDS, "payments.look", target=account_id, account_id=account_id)
    return [
        f"{each.at[:16]}  {each.payment_id}  {each.purpose:12} {each.state:12} {each.amount_usd:>12} USD, "
        f"{each.refunded_usd} given back, {each.refundable_usd} can be"
        for each in found
    ] or [f"{whose} has paid nothing"]


async def refund(settings: Settings, whose: str, *, amount_usd: str, payment: str | None, reason: str) -> list[str]:
    """Order a refund; a line for each payment it is of. Raises `GatewayError`."""
    why = checked_reason(reason)
    async with open_books(settings) as books:
        use, account_id = buying_of(books, None), await account_of(books.accounts, whose)
        payment_id = None if payment is None else await payment_names.found_payment(use, account_id, payment)
        ordered = await refunds.order(use, account_id, amount_usd, reason=why, payment_id=payment_id)
        told = f"{ordered[0].order_id}: {history_routes.told(ordered)}"
        await tell(books.accounts, COMMANDS, "refund.order", target=account_id, account_id=account_id, details=told)
        shown = history_routes.listed_orders(ordered, books.clock.now().isoformat())
    return [f"{each.refund_id}: {each.amount_usd} USD of {each.payment_id} go back" for each in shown.refunds]


async def thaw(settings: Settings, whose: str, *, reason: str, forgive: bool) -> list[str]:
    """Lift an account's fraud warnings; the line that says how it stands. Raises `GatewayError`."""
    why = checked_reason(reason)
    async with open_books(settings) as books:
        account_id = await account_of(books.accounts, whose)
        standing = await books.storage.payments.thaw(account_id, forgive=forgive)
        told = f"debts forgiven; {why}" if forgive else why
        await tell(books.accounts, COMMANDS, "account.thaw", target=account_id, account_id=account_id, details=told)
    how = f"is frozen still ({standing.frozen})" if standing.frozen else "may spend"
    return [f"{whose} {how}; debt {usd(standing.debt)} USD"]
