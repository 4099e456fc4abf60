"""A price list knows which plans have prices of their own."""

from monkey_coder_server.domain.markup import MarkupRule, MarkupTable
from monkey_coder_server.domain.price_list import PriceList
from monkey_coder_server.domain.pricing import PriceBook

RULES = (MarkupRule(basis_points=700, plan="pro"), MarkupRule(basis_points=800, provider="groq"))
PRICES = PriceList(PriceBook.of([]), MarkupTable(1_500, RULES))


def test_a_plan_no_markup_names_is_priced_as_all_others() -> None:
    assert [PRICES.priced_as(plan) for plan in ("", "pro", "hobby", "made up")] == ["", "pro", "", ""]


def test_the_markup_is_that_of_the_plan() -> None:
    found = [PRICES.basis_points(plan, "openai", "o3") for plan in ("", "pro", "hobby")]
    assert found == [1_500, 700, 1_500]


def test_two_lists_of_equal_content_are_not_the_same() -> None:
    assert PriceList(PRICES.book, PRICES.markups) != PRICES
