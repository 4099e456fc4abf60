"""Over any traffic: an honest invoice has no findings, and of planted mistakes each is found and none invented."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.invoices import Booked, Invoice
from monkey_coder_server.domain.reconciliation import reconcile
from packages.server.tests.reconciliation import traffic
from packages.server.tests.reconciliation.planting import KINDS, planted

Write = Callable[[list[Booked], Random], Invoice]
INVOICES: dict[str, Write] = {"requests": traffic.by_request, "sums": lambda rows, _: traffic.by_day(rows)}


@pytest.mark.parametrize("write", INVOICES.values(), ids=INVOICES)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_an_honest_invoice_has_no_findings(write: Write, seed: int) -> None:
    random = Random(seed)
    rows = traffic.books(random, random.randint(0, 120))
    verdict = reconcile(rows, write(rows, random), traffic.canonical)
    assert verdict.findings == ()
    assert verdict.sound
    assert verdict.unexplained == 0
    assert abs(verdict.rounding) <= len(rows)


@pytest.mark.parametrize("write", INVOICES.values(), ids=INVOICES)
@given(seed=st.integers(0, 2**32), kinds=st.lists(st.sampled_from(KINDS[1:]), max_size=6), drift=st.booleans())
@settings(max_examples=60, deadline=None)
def test_exactly_what_was_planted_is_found(write: Write, seed: int, kinds: list[str], drift: bool) -> None:
    random = Random(seed)
    rows = traffic.books(random, 240)
    wanted = (*(("price_drift",) if drift else ()), *kinds)
    invoice, expected = planted(rows, write(rows, random), traffic.canonical, random, wanted)
    verdict = reconcile(rows, invoice, traffic.canonical)
    assert {(each.kind, each.subject) for each in verdict.findings} == expected
    assert len(verdict.findings) == len(wanted)
