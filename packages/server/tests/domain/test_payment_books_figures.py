"""Each figure of a payment for itself, and the movement that is the difference of all."""

from dataclasses import replace

from monkey_coder_server.domain.ledger import Account, AccountKind
from monkey_coder_server.domain.payment_books import (
    NOTHING,
    NOTHING_TAKEN,
    Figures,
    Sources,
    Takings,
    figures,
    movement,
    refundable_cents,
    take,
)
from monkey_coder_server.domain.payments import Purpose
from packages.server.tests.contract.booking import ACCOUNT
from packages.server.tests.contract.paying import CENT, dispute, paid, refund

CREDIT = Account(AccountKind.CUSTOMER_CREDIT, ACCOUNT)
Plan = Purpose.SUBSCRIPTION


def test_what_is_not_told_of_is_not_there() -> None:
    assert figures(paid(purpose=Plan)).given == 0
    assert take(5, 5, NOTHING_TAKEN, Sources(own="a", grants={"a": 4})) == Takings(debt=5)
    assert take(5, 5, NOTHING_TAKEN, Sources(free=4)) == Takings(debt=5)


def test_a_movement_is_the_difference_of_every_figure() -> None:
    figures_before = Figures(
        received=100,
        tax=1,
        given=20,
        gifted=2,
        earned=30,
        settled=3,
        refunding=4,
        refunded=5,
        claimed=6,
        lost=7,
        borne=8,
    )
    figures_after = Figures(
        received=1_100, tax=12, given=220, gifted=25, earned=340, settled=38, refunding=49, refunded=61, claimed=73,
        lost=86, borne=99,
    )  # fmt: skip
    had, has = Takings(parts={"own": 9}, debt=10, aside=11), Takings(parts={"own": 29}, debt=31, aside=33)
    lines = movement("pay_1", ACCOUNT, before=figures_before, after=figures_after, had=had, has=has)
    assert dict(lines) == {
        CREDIT: 200 - 20 - 22,
        Account(AccountKind.CASH, "pay_1"): -(1_000 - 56 - 67 - 79),
        Account(AccountKind.TAX_PAYABLE, "pay_1"): 11,
        Account(AccountKind.REFUND_PAYABLE, "pay_1"): 45,
        Account(AccountKind.DISPUTED, "pay_1"): 22 - 67,
        Account(AccountKind.REVENUE): 310,
        Account(AccountKind.CREDIT_LINE, ACCOUNT): -23,
        Account(AccountKind.CUSTOMER_RECEIVABLE, ACCOUNT): 35,
        Account(AccountKind.CUSTOMER_DEBT, ACCOUNT): -21,
        Account(AccountKind.HOUSE_LOSS): -91,
    }


def test_each_figure_is_of_its_own_kind_of_sight() -> None:
    assert Figures(received=0, given=0, taken=0, borne=0) == NOTHING
    apart = figures(paid(refunds=(refund(3), refund(5, "re_2", state="pending")), disputes=(dispute(7, state="lost"),)))
    assert (apart.refunded, apart.refunding, apart.lost) == (3 * CENT, 5 * CENT, 7 * CENT)
    over = figures(paid(100, refunds=(refund(60, state="pending"),), disputes=(dispute(80, state="lost"),)))
    assert over.borne == 40 * CENT
    fee = paid(1_190, tax_cents=190, purpose=Plan, refunds=(refund(595),))
    assert figures(fee, credit=400 * CENT).taken == 200 * CENT
    bought = paid(1_190, tax_cents=190)
    assert refundable_cents(bought, figures(bought), 500 * CENT) == 595


def test_a_grant_that_has_nothing_left_gives_nothing_more_and_what_comes_back_can_be_put_aside() -> None:
    gone = Takings(parts={"gone": 5})
    assert take(6, 0, gone, Sources(own="own", grants={"own": 0}, free=9)) == replace(gone, debt=1)
    assert take(0, 9, Takings(parts={"own": 5}), Sources(own="own", grants={"own": 0}, free=0)) == Takings(aside=5)
