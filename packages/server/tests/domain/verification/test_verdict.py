"""Findings together."""

from monkey_coder_server.domain.verification.verdict import Check, Verdict, failed, not_applicable, passed


def test_a_verdict_passes_when_no_check_failed_and_tells_which_ran() -> None:
    verdict = Verdict((passed(Check.WHOLE, "a"), not_applicable(Check.JSON, "b")))
    assert verdict.passed
    assert verdict.ran == (Check.WHOLE,)
    assert verdict.failures == ()


def test_one_failure_is_enough() -> None:
    against = failed(Check.JSON, "b")
    verdict = Verdict((passed(Check.WHOLE, "a"), against))
    assert not verdict.passed
    assert verdict.failures == (against,)
    assert verdict.ran == (Check.WHOLE, Check.JSON)
