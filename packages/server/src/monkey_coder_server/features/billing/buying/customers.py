"""The customer an account is at the payment processor: made once, and once more after somebody deleted it there."""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import TypeVar

from monkey_coder_server.domain.errors import Conflict, PaymentRefused
from monkey_coder_server.features.billing.buying.dependencies import Dependencies, gate_of
from monkey_coder_server.ports.payments import CustomerSeen, NewCustomer

T = TypeVar("T")


async def with_customer(use: Dependencies, account_id: str, act: Callable[[str], Awaitable[T]]) -> T:
    """What `act` makes of the account's customer; again with a new one when it turns out that it was deleted.

    Raises as `act` and the gate do.
    """
    customer_id = await use.books.customer(account_id) or await _made(use, account_id, "")
    try:
        return await act(customer_id)
    except PaymentRefused:
        if not await was_deleted(use, customer_id):
            raise
    return await act(await _made(use, account_id, customer_id))


async def seen_of(use: Dependencies, account_id: str) -> CustomerSeen | None:
    """The account's customer as the processor knows it; None without one. Raises as the gate does."""
    customer_id = await use.books.customer(account_id)
    if customer_id is None:
        return None
    seen = await gate_of(use).customer(customer_id)
    if seen is None or seen.deleted:
        await use.books.forget_customer(customer_id)
        return None
    return seen


async def was_deleted(use: Dependencies, customer_id: str) -> bool:
    """Whether a customer is gone at the processor; then it is forgotten here."""
    seen = await gate_of(use).customer(customer_id)
    if seen is not None and not seen.deleted:
        return False
    await use.books.forget_customer(customer_id)
    return True


async def _made(use: Dependencies, account_id: str, after: str) -> str:
    """A new customer; of many requests at once all get the same, because they ask under the same key.

    `after` is a deleted one that it follows: without it in the key, the processor would tell of that one again.
    """
    payers = await use.payers(account_id)
    if not payers:
        raise Conflict("This account has nobody who could pay for it.")
    customer = NewCustomer(account_id, payers[0].email, payers[0].name)
    while True:
        told = sha256(f"{customer.email}\0{customer.name}\0{after}".encode()).hexdigest()[:16]
        made = await gate_of(use).create_customer(customer, key=f"customer:{account_id}:{told}")
        if await use.books.account_of(made) is None or await use.books.customer(account_id) == made:
            return await use.books.keep_customer(account_id, made)
        after = made  # it was made under this key before, and is forgotten since
