"""Why a payment freezes its account, and what an account is told of it."""

import pytest

from monkey_coder_server.domain.ledger import AccountKind
from monkey_coder_server.domain.payment_books import FORGIVEN, LAPSED, NO_GRANTS, freeze, gravest
from monkey_coder_server.domain.payments import WHY_FROZEN, Freeze, PaymentSeen, PaymentState
from packages.server.tests.contract.paying import dispute, paid


@pytest.mark.parametrize(
    ("seen", "debt", "lifted", "reason"),
    [
        (paid(), 0, False, None),
        (paid(), 1, False, Freeze.DEBT),
        (paid(disputes=(dispute(1),)), 1, False, Freeze.DISPUTE),
        (paid(disputes=(dispute(1),), early_fraud_warning=True), 0, False, Freeze.DISPUTE),
        (paid(disputes=(dispute(1, withdrawn=False),)), 0, False, None),
        (paid(disputes=(dispute(1, state="lost"),)), 0, False, None),
        (paid(disputes=(dispute(1),), state=PaymentState.PENDING), 0, False, None),
        (paid(early_fraud_warning=True), 1, False, Freeze.FRAUD_WARNING),
        (paid(early_fraud_warning=True), 1, True, Freeze.DEBT),
        (paid(early_fraud_warning=True), 0, True, None),
        (paid(early_fraud_warning=True, disputes=(dispute(1),), currency="eur"), 0, False, None),
    ],
)
def test_why_a_payment_freezes_its_account(seen: PaymentSeen, debt: int, lifted: bool, reason: Freeze | None) -> None:
    assert freeze(seen, debt, lifted=lifted) is reason


def test_a_warning_is_lifted_by_nobody_unless_it_is_said() -> None:
    assert freeze(paid(early_fraud_warning=True), 0) is Freeze.FRAUD_WARNING


def test_an_account_is_told_the_gravest_reason() -> None:
    assert gravest([]) == ""
    assert gravest(["debt", "dispute"]) == "dispute"
    assert gravest(["debt", "fraud_warning"]) == "fraud_warning"
    assert gravest(["debt"]) == "debt"


def test_what_is_no_grant_is_borne_by_the_house_in_one_way_or_another() -> None:
    assert NO_GRANTS == {LAPSED: AccountKind.BREAKAGE, FORGIVEN: AccountKind.HOUSE_LOSS}


def test_each_reason_has_a_sentence() -> None:
    assert set(WHY_FROZEN) == set(Freeze)
