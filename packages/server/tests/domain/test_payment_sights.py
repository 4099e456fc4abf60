"""Sights of a payment in any order come to the same."""

from dataclasses import replace
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.payment_sights import merge
from monkey_coder_server.domain.payments import PaymentSeen, PaymentState, Purpose
from packages.server.tests.contract.paying import dispute, paid, refund

UNSEEN = paid(state=PaymentState.PENDING)


def seen_all(*sights: PaymentSeen) -> PaymentSeen:
    known = UNSEEN
    for sight in sights:
        known = merge(known, sight)
    return known


def test_a_payment_that_succeeded_never_becomes_pending_or_another_sum() -> None:
    known = seen_all(paid(1_000, tax_cents=100), paid(2_000, state=PaymentState.FAILED, failure="declined"))
    assert (known.state, known.cents, known.tax_cents, known.failure) == (PaymentState.SUCCEEDED, 1_000, 100, "")


def test_one_that_failed_may_still_succeed() -> None:
    failed = seen_all(paid(state=PaymentState.FAILED, failure="declined"))
    assert (failed.state, failed.failure) == (PaymentState.FAILED, "declined")
    known = merge(failed, paid(500))
    assert (known.state, known.cents, known.failure) == (PaymentState.SUCCEEDED, 500, "")


def test_who_pays_and_in_what_stays() -> None:
    known = seen_all(paid(account_id="acc_2", currency="eur", customer_id="cus_2"))
    assert replace(known, state=UNSEEN.state) == UNSEEN


def test_what_it_is_for_is_certain_once_it_succeeded() -> None:
    known = seen_all(paid(purpose=Purpose.INVOICE, reference="inv_1"))
    assert (known.purpose, known.reference) == (Purpose.INVOICE, "inv_1")
    assert merge(known, paid(purpose=Purpose.CREDIT, reference="other")) == known


def test_what_was_not_told_at_first_is_filled_in() -> None:
    nameless = paid(state=PaymentState.PENDING, customer_id="", reference="")
    known = merge(nameless, paid(customer_id="cus_1", reference="top_1"))
    assert (known.customer_id, known.reference) == ("cus_1", "top_1")
    assert merge(known, paid(customer_id="cus_2", reference="top_2")) == known


def test_a_warning_stays() -> None:
    assert seen_all(paid(early_fraud_warning=True), paid()).early_fraud_warning


def test_a_refund_goes_from_pending_over_succeeded_to_failed_and_never_back() -> None:
    stages = [paid(refunds=(refund(100, state=state),)) for state in ("pending", "succeeded", "failed")]
    for length in (1, 2, 3):
        for order in permutations(stages[:length]):
            assert seen_all(*order).refunds == stages[length - 1].refunds


def test_an_order_takes_the_first_refund_in_its_name_and_the_next_is_made_elsewhere() -> None:
    ordered = merge(UNSEEN, paid(refunds=(refund(100, ""),)))
    ordered = replace(ordered, refunds=(refund(100, "", order="ord_1", state="pending"), refund(5, "", order="ord_2")))
    known = merge(ordered, paid(refunds=(refund(100, "re_1", order="ord_1"), refund(100, "re_2", order="ord_1"))))
    assert sorted(known.refunds, key=lambda each: each.refund_id) == [
        refund(5, "", order="ord_2"),
        refund(100, "re_1", order="ord_1"),
        refund(100, "re_2"),
    ]
    again = merge(known, paid(refunds=(refund(100, "re_2", order="ord_1"), refund(100, "re_1", order="ord_1"))))
    assert set(again.refunds) == set(known.refunds)


def test_a_refund_in_a_name_nobody_ordered_is_made_elsewhere() -> None:
    assert seen_all(paid(refunds=(refund(100, "re_1", order="ord_9"),))).refunds == (refund(100, "re_1"),)


def test_an_order_the_processor_refused_counts_when_it_turns_up_all_the_same() -> None:
    refused = replace(UNSEEN, refunds=(refund(100, "", order="ord_1", state="failed"),))
    known = merge(refused, paid(refunds=(refund(100, "re_1", order="ord_1"),)))
    assert known.refunds == (refund(100, "re_1", order="ord_1"),)


def test_a_decided_dispute_is_not_opened_by_what_comes_late() -> None:
    asked, opened = [paid(disputes=(dispute(100, withdrawn=withdrawn),)) for withdrawn in (False, True)]
    for decided in (paid(disputes=(dispute(100, state=state),)) for state in ("won", "lost")):
        for order in permutations([asked, opened, decided]):
            assert seen_all(*order).disputes == decided.disputes
    assert seen_all(opened, asked).disputes == opened.disputes
    assert seen_all(asked, opened).disputes == opened.disputes
    assert seen_all(asked).disputes == asked.disputes


def test_the_larger_claim_of_an_open_dispute_counts() -> None:
    small, large = [paid(disputes=(dispute(cents),)) for cents in (50, 100)]
    assert seen_all(small, large).disputes == seen_all(large, small).disputes == large.disputes


def test_of_two_decisions_the_later_one_counts() -> None:
    lost, won = [paid(disputes=(dispute(100, state=state),)) for state in ("lost", "won")]
    assert seen_all(lost, won).disputes == won.disputes


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=6))
def test_each_refund_and_dispute_stands_once(names: list[str]) -> None:
    sights = [paid(refunds=(refund(10, name),), disputes=(dispute(10, name),)) for name in names]
    known = seen_all(*sights)
    assert sorted(each.refund_id for each in known.refunds) == sorted(set(names))
    assert sorted(each.dispute_id for each in known.disputes) == sorted(set(names))
