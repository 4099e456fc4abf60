"""Counts that invoices name differently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.invoices import INPUT_KINDS, KINDS, Booked, Invoice, Invoiced, Tokens

COUNTS = st.builds(Tokens, *[st.integers(0, 10**9)] * 7)


@given(COUNTS, COUNTS)
def test_every_kind_of_two_counts_together_is_the_sum_of_both(one: Tokens, other: Tokens) -> None:
    together = one.plus(other)
    for kind in KINDS:
        assert together.of(kind) == one.of(kind) + other.of(kind)


@given(COUNTS)
def test_the_input_is_its_disjoint_kinds_and_a_cache_write_both_lifetimes(count: Tokens) -> None:
    assert count.of("input") == sum(count.of(kind) for kind in INPUT_KINDS)
    assert count.of("cache_write") == count.cache_write_5m + count.cache_write_1h


def test_nothing_counted_is_zero_of_every_kind() -> None:
    assert [Tokens().of(kind) for kind in KINDS] == [0] * len(KINDS)
    with pytest.raises(AttributeError):
        Tokens().of("images")


def test_what_is_not_said_of_a_row_and_an_invoice() -> None:
    row = Booked("settle:1", 0, "req_1", "2026-11-20", "m", Tokens(), 5)
    assert (row.requests, row.estimated, row.corrected) == (1, False, False)
    invoice = Invoice((Invoiced("2026-11-20", "m"),))
    assert (invoice.resolution, invoice.by_request, dict(invoice.lines[0].tokens)) == (1, False, {})
