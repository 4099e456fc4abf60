"""What of a payment can still be given back: whole cents that are left of what it bought, and its tax with them."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.payment_books import figures, refundable_cents
from monkey_coder_server.domain.payments import PaymentSeen, PaymentState, Purpose
from packages.server.tests.contract.paying import CENT, dispute, paid, refund


def refundable(seen: PaymentSeen, left: int, credit: int = 0) -> int:
    return refundable_cents(seen, figures(seen, credit=credit), left)


def test_what_can_be_given_back_is_what_is_left_in_whole_cents() -> None:
    assert refundable(paid(), 2_000 * CENT) == 1_000
    assert refundable(paid(), 12 * CENT + 9_999_999) == 12
    assert refundable(paid(), 0) == 0
    assert refundable(paid(1_190, tax_cents=190), 500 * CENT) == 595
    assert refundable(paid(refunds=(refund(900), refund(50, "re_2", state="pending"))), 1_000 * CENT) == 50
    assert refundable(paid(refunds=(refund(900, state="failed"),)), 1_000 * CENT) == 1_000
    assert refundable(paid(refunds=(refund(1_000), refund(10, "re_2"))), 1_000 * CENT) == 0


def test_nothing_is_given_back_of_fees_invoices_and_what_a_bank_looks_at() -> None:
    for purpose in (Purpose.SUBSCRIPTION, Purpose.INVOICE):
        assert refundable(paid(purpose=purpose), 1_000 * CENT, credit=1_000 * CENT) == 0
    assert refundable(paid(purpose=Purpose.TOP_UP), 1_000 * CENT) == 1_000
    assert refundable(paid(state=PaymentState.PENDING), 1_000 * CENT) == 0
    assert refundable(paid(disputes=(dispute(10),)), 1_000 * CENT) == 0
    assert refundable(paid(disputes=(dispute(10, state="lost"),)), 1_000 * CENT) == 0
    for over in (dispute(10, state="won"), dispute(10, withdrawn=False)):
        assert refundable(paid(disputes=(over,)), 1_000 * CENT) == 1_000


@given(st.integers(1, 3_000), st.data())
def test_a_refund_gives_back_its_tax_and_never_takes_more_than_is_left(cents: int, data: st.DataObject) -> None:
    seen = paid(cents, tax_cents=data.draw(st.integers(0, cents - 1)))
    before = data.draw(st.integers(0, cents))
    seen = replace(seen, refunds=(refund(before),) if before else ())
    left = data.draw(st.integers(0, 4_000 * CENT))
    most = refundable(seen, left)
    assert before + most <= cents

    def takes(more: int) -> int:
        asked = (refund(more, "re_2"),) if more else ()
        return figures(replace(seen, refunds=(*seen.refunds, *asked))).taken - figures(seen).taken

    assert takes(most) <= left
    rest = cents - before
    assert most == rest or takes(min(most + 2, rest)) > left - CENT
