"""Sights of a payment in each order come to the same books, on both databases."""

from dataclasses import replace
from itertools import permutations

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.payments import PaymentState
from packages.server.tests.contract.paying import CENT, dispute, paid, refund


@pytest.mark.parametrize("decided", ["won", "lost"])
async def test_sights_in_each_of_their_orders_end_as_in_order(store: Storage, decided: str) -> None:
    """120 accounts, of each the sights of one payment in another order, the first two told again at the end."""
    pending = paid(state=PaymentState.PENDING)
    refunded = paid(refunds=(refund(300),))
    disputed = replace(refunded, disputes=(dispute(700),))
    closed = replace(refunded, disputes=(dispute(700, state=decided, withdrawn=decided == "lost"),))
    ends = set()
    for number, order in enumerate(permutations([pending, paid(), refunded, disputed, closed])):
        account_id = f"acc_order_{number}"
        await store.ledger.open_wallet(account_id)
        for sight in (*order, *order[:2]):
            await store.payments.book(replace(sight, payment_id=f"pay_order_{number}", account_id=account_id))
        standing = await store.payments.standing(account_id)
        ends.add(((await store.ledger.wallet(account_id)).balance, standing.debt, standing.frozen))
    assert ends == {(700 * CENT if decided == "won" else 0, 0, "")}
    held = 120 * 700 * CENT if decided == "won" else 0
    report = await store.ledger.verify()
    assert report.sound, report.details
    totals = {kind: amount for kind, amount in report.totals.items() if amount}
    assert totals == ({"customer_credit": held, "cash": -held} if held else {})
