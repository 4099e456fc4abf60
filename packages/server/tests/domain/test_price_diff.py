"""What an operator is told of a new book before it is charged by."""

from dataclasses import replace

from monkey_coder_server.domain.price_diff import Difference, compare
from monkey_coder_server.domain.pricing import PriceBook, PriceRow, Rates, Tier

ROW = PriceRow(provider="openai", model="gpt", rates=Rates.of(input=1_000, output=4_000), source="one")


def changes(old: list[PriceRow], new: list[PriceRow]) -> list[tuple[str, str, bool]]:
    return [(each.model, each.kind, each.suspicious) for each in compare(PriceBook.of(old), PriceBook.of(new))]


def test_where_a_price_comes_from_is_no_change_of_it() -> None:
    assert changes([ROW], [replace(ROW, source="two", effective_from="2026-12-01")]) == []


def test_models_come_and_go_without_being_jumps() -> None:
    other = replace(ROW, model="new")
    assert changes([ROW], [other]) == [("openai/gpt", "gone", False), ("openai/new", "new", False)]


def test_a_price_that_moves_by_more_than_a_quarter_jumps() -> None:
    for output, jumps in ((5_000, False), (5_001, True), (3_000, False), (2_999, True)):
        moved = replace(ROW, rates=Rates.of(input=1_000, output=output))
        assert changes([ROW], [moved]) == [("openai/gpt", "changed", jumps)], output


def test_every_price_of_a_row_is_compared() -> None:
    moved = replace(ROW, tiers=(Tier(100, Rates.of(input=2_000, output=4_000)),), fees={"web_searches": 5}, allowance=7)
    [change] = compare(PriceBook.of([ROW]), PriceBook.of([moved]))
    told = {each.what: (each.old, each.new) for each in change.differences}
    assert told["input above 100 tokens"] == (None, 2_000)
    assert told["fee web_searches"] == (None, 5)
    assert told["allowance"] == (None, 7)
    assert change.suspicious


def test_a_price_from_or_to_nothing_has_no_percentage_and_is_looked_at() -> None:
    for old, new in ((None, 1), (1, None), (0, 1), (1, 0)):
        difference = Difference("input", old, new)
        assert (difference.basis_points, difference.suspicious) == (None, True)
    assert [Difference("input", 1_000, new).basis_points for new in (1_100, 900)] == [1_000, -1_000]
