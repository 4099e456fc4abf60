"""A text moves what is believed of candidates, and with that their terms and order; what they cost stays."""

import pytest

from monkey_coder_server.domain.routing import Learned
from monkey_coder_server.domain.routing_text import as_heard
from packages.server.tests.domain.test_routing import ALL, ask, names, plan

KNOWN = [each._replace(learned=Learned(success=0.6, spread=0.1, seen=20.0)) for each in ALL]


def test_a_text_that_says_nothing_changes_nothing() -> None:
    before = plan(ask(), KNOWN)
    assert as_heard(before, {}) == before
    assert as_heard(plan(ask(), []), {}).candidates == ()


def test_who_is_believed_better_comes_first_with_the_terms_of_a_plan_that_believed_so() -> None:
    told = {"openai/big": 0.3, "groq/small": -0.4}
    moved = [
        each._replace(learned=each.learned._replace(success=0.6 + told.get(each.card.name, 0.0))) for each in KNOWN
    ]
    heard, expected = as_heard(plan(ask("auto:best"), KNOWN), told), plan(ask("auto:best"), moved)
    assert names(heard) == names(expected)
    assert names(heard)[0] == "openai/big"
    for ours, theirs in zip(heard.candidates, expected.candidates, strict=True):
        assert ours.expected.success == pytest.approx(theirs.expected.success)
        assert ours.terms.utility == pytest.approx(theirs.terms.utility)


def test_errors_count_as_before_and_what_is_not_learnt_is_not_moved() -> None:
    failing = [KNOWN[0]._replace(error_rate=0.5)]
    told = {KNOWN[0].card.name: 0.2}
    assert as_heard(plan(ask(), failing), told).candidates[0].expected.success == pytest.approx(0.4)
    stated = plan(ask(), [ALL[0]])
    assert as_heard(stated, {ALL[0].card.name: 0.2}) == stated
