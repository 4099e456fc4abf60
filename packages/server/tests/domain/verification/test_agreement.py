"""Rates of checks, learnt from what came out later."""

from monkey_coder_server.domain.verification.agreement import TOGETHER, agreement
from monkey_coder_server.domain.verification.verdict import Check, Verdict, failed, not_applicable, passed

NODES = ((), ("codegen",))


def _verdict(*, fine: bool) -> Verdict:
    say = passed if fine else failed
    return Verdict((passed(Check.WHOLE, "a"), say(Check.SYNTAX, "b"), not_applicable(Check.JSON, "c")))


def test_each_check_is_counted_by_what_came_out_at_every_kind() -> None:
    pairs = [(_verdict(fine=True), True)] * 3 + [(_verdict(fine=False), False)] * 2 + [(_verdict(fine=True), False)]
    learnt = agreement(pairs, NODES)
    for node in NODES:
        syntax = learnt[Check.SYNTAX.value].seen[node]
        assert (syntax.right_passed, syntax.right_failed) == (3_000, 0)
        assert (syntax.wrong_passed, syntax.wrong_failed) == (1_000, 2_000)
        assert learnt[Check.WHOLE.value].seen[node].wrong_passed == 3_000
        assert learnt[TOGETHER].seen[node] == syntax
    assert not learnt[Check.JSON.value].seen


def test_a_hint_weighs_less_and_an_answer_nobody_could_judge_nothing() -> None:
    nothing = Verdict((not_applicable(Check.JSON, "c"),))
    learnt = agreement([(_verdict(fine=True), True), (nothing, False)], weight=0.25)
    assert learnt[TOGETHER].seen[()].right_passed == 250
    assert learnt[TOGETHER].seen[()].wrong_passed == 0


def test_a_check_that_tells_right_from_wrong_becomes_useful() -> None:
    pairs = [(_verdict(fine=True), True), (_verdict(fine=False), False)] * 30
    learnt = agreement(pairs)
    assert learnt[Check.SYNTAX.value].rates(((),)).useful
    assert not learnt[Check.WHOLE.value].rates(((),)).useful
