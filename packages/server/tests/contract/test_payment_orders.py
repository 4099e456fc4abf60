"""Sights of a payment in each order come to the same books, on both databases."""

from dataclasses import replace
from itertools import permutations

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.payments import PaymentSeen, PaymentState
from packages.server.tests.contract.paying import CENT, dispute, paid, refund


def happened(account_id: str, number: int, decided: str) -> list[PaymentSeen]:
    """What is seen of a payment one after the other, in the order it happened."""
    bought = replace(paid(), payment_id=f"pay_order_{number}", account_id=account_id)
    refunded = replace(bought, refunds=(refund(300, f"re_{number}"),))
    disputed = replace(refunded, disputes=(dispute(700, f"dp_{number}"),))
    closed = dispute(700, f"dp_{number}", state=decided, withdrawn=decided == "lost")
    pending = replace(paid(state=PaymentState.PENDING), payment_id=bought.payment_id, account_id=account_id)
    return [pending, bought, refunded, disputed, replace(refunded, disputes=(closed,))]


@pytest.mark.parametrize("decided", ["won", "lost"])
async def test_sights_in_each_of_their_orders_end_as_in_order(store: Storage, decided: str) -> None:
    """120 accounts, of each the sights of one payment in another order, the first two told again at the end."""
    ends = set()
    for number, order in enumerate(permutations(range(5))):
        account_id = f"acc_order_{number}"
        await store.ledger.open_wallet(account_id)
        sights = happened(account_id, number, decided)
        for place in (*order, *order[:2]):
            await store.payments.book(sights[place])
        standing = await store.payments.standing(account_id)
        ends.add(((await store.ledger.wallet(account_id)).balance, standing.debt, standing.frozen))
    assert ends == {(700 * CENT if decided == "won" else 0, 0, "")}
    held = 120 * 700 * CENT if decided == "won" else 0
    report = await store.ledger.verify()
    assert report.sound, report.details
    totals = {kind: amount for kind, amount in report.totals.items() if amount}
    assert totals == ({"customer_credit": held, "cash": -held} if held else {})
