"""Margins of sums, and what the books say of the same time."""

from monkey_coder_server.domain.business import Losses, Moved, Takings, booked, together, unexplained

MOVES = (
    Moved("settle", False, "customer_credit", -1_000),
    Moved("settle", False, "revenue", 1_100),
    Moved("settle", False, "house_loss", -100),
    Moved("settle", False, "provider_cost", -700),
    Moved("settle", False, "provider_payable", 700),
    Moved("void", False, "house_loss", -30),
    Moved("void", False, "provider_payable", 30),
    Moved("void", True, "house_loss", -5),
    Moved("void", True, "provider_payable", 5),
    Moved("correct", False, "provider_payable", 2),
    Moved("correct", False, "provider_cost", -2),
    Moved("grant", False, "customer_credit", 500),
    Moved("grant", False, "promotions", -200),
    Moved("grant", False, "cash", -300),
    Moved("expire", False, "customer_credit", -40),
    Moved("expire", False, "breakage", 40),
    Moved("refund", False, "customer_credit", 60),
    Moved("refund", False, "revenue", -60),
)


def test_a_margin_is_what_is_left_and_the_part_it_is_of_the_revenue() -> None:
    line = Takings("openai", 3, 1, 1_000, 735, 1)
    assert (line.margin, line.margin_basis_points) == (265, 2_650)
    assert Takings("groq", revenue=3, provider_cost=4).margin_basis_points == -3_334
    assert Takings("none", provider_cost=4).margin_basis_points is None


def test_lines_are_summed() -> None:
    assert together("all", [Takings("a", 1, 2, 3, 4, 5, 6), Takings("b", 1, 1, 1, 1, 1, 1)]) == Takings(
        "all", 2, 3, 4, 5, 6, 7
    )


def test_the_books_tell_losses_by_cause() -> None:
    found = booked(MOVES)
    assert found.losses == Losses(beyond_hold=100, failed=30, hedges=5, corrections=2)
    assert (found.refunded, found.promotions_given, found.breakage) == (60, 200, 40)
    assert found.accounts["revenue"] == 1_040
    assert sum(found.accounts.values()) == 0


def test_what_is_in_the_ledger_and_in_no_sum_is_unexplained() -> None:
    assert unexplained(Takings("", revenue=1_000, provider_cost=735), booked(MOVES)) == (0, 0)
    assert unexplained(Takings("", revenue=990, provider_cost=740), booked(MOVES)) == (10, -5)
