"""Stated priors give way to outcomes, by kind of work and account, by how much each signal is to be believed."""

import pytest

from monkey_coder_server.domain.bandit.shrinkage import Shrinkage
from monkey_coder_server.domain.routing import Learned
from monkey_coder_server.domain.work import Work
from monkey_coder_server.features.inference import beliefs as module
from monkey_coder_server.features.inference.beliefs import LEAST, Beliefs, Signal
from monkey_coder_server.features.inference.outcomes import MOST_OF_AN_ACCOUNT, ServedBy, arm_of

ARM = "openai/gpt-test"
FIX = Work("fix", "python", "small")
PRIORS = {ARM: 0.8, "anthropic/claude-test": 0.7}


def by(account: str = "acct_1", kind: str = "fix", effort: str = "") -> ServedBy:
    return ServedBy(account, ARM, "debugging", kind, "python", effort)


def expected(beliefs: Beliefs, account: str = "acct_9", work: Work = FIX) -> Learned:
    return beliefs.expect(work, account, PRIORS)[0]


def success(beliefs: Beliefs, account: str = "acct_9", work: Work = FIX) -> float:
    value = expected(beliefs, account, work).success
    assert value is not None
    return value


def test_before_any_outcome_the_stated_prior_is_believed_with_its_doubt() -> None:
    first, second = Beliefs().expect(FIX, "acct_1", PRIORS)
    assert (first.success, second.success) == (pytest.approx(0.8), pytest.approx(0.7))
    assert first.spread == second.spread > 0.1
    assert first.seen == 0.0


def test_outcomes_of_many_accounts_move_everybody_and_make_sure() -> None:
    beliefs = Beliefs()
    before = expected(beliefs)
    for number in range(30):
        beliefs.report(f"req_{number}", by(f"acct_{number + 20}"), Signal(0.0, 1.0))
    after = expected(beliefs)
    assert success(beliefs) < 0.3
    assert after.spread < before.spread
    assert after.seen == pytest.approx(30.0)
    assert beliefs.expect(FIX, "acct_9", PRIORS)[1].success == pytest.approx(0.7)


def test_one_account_moves_the_others_less_than_half_way_and_itself_all_the_way() -> None:
    beliefs = Beliefs()
    for number in range(1_000):
        beliefs.report(f"req_{number}", by(), Signal(0.0, 1.0))
    assert 0.4 < success(beliefs) < 0.8
    assert success(beliefs, "acct_1") < 0.05
    assert expected(beliefs).seen == pytest.approx(MOST_OF_AN_ACCOUNT)
    assert beliefs.reported("acct_1") == pytest.approx(1_000)
    assert success(beliefs, "acct_1") >= LEAST


def test_a_kind_of_work_is_moved_further_by_its_own_outcomes_than_another() -> None:
    beliefs = Beliefs()
    for number in range(30):
        beliefs.report(f"req_{number}", by(f"acct_{number + 20}"), Signal(0.0, 1.0))
    assert success(beliefs) < success(beliefs, work=Work("test", "python", "small")) < 0.8


def test_of_several_signals_the_heaviest_counts_and_of_equals_the_latest() -> None:
    beliefs = Beliefs()
    beliefs.report("req_1", by(), Signal(1.0, 0.5))
    beliefs.report("req_1", by(), Signal(0.0, 1.0))
    beliefs.report("req_1", by(), Signal(1.0, 0.5))
    assert beliefs.reported("acct_1") == pytest.approx(1.0)
    assert success(beliefs) < 0.8
    beliefs.report("req_1", by(), Signal(1.0, 1.0))
    assert beliefs.reported("acct_1") == pytest.approx(1.0)
    assert success(beliefs) > 0.8


def test_a_fainter_signal_moves_less() -> None:
    moved = []
    for weight in (0.3, 1.0):
        beliefs = Beliefs()
        beliefs.report("req_1", by(), Signal(0.0, weight))
        moved.append(success(beliefs))
    assert moved[1] < moved[0] < 0.8


def test_a_model_asked_to_think_hard_is_another_arm() -> None:
    beliefs = Beliefs()
    beliefs.report("req_1", by(effort="high"), Signal(0.0, 1.0))
    assert arm_of(ARM, "high") == f"{ARM}@high"
    assert expected(beliefs).seen == 0.0
    assert beliefs.expect(FIX, "acct_9", {f"{ARM}@high": 0.8})[0].seen == pytest.approx(1.0)


def test_where_only_the_task_type_is_known_it_says_the_kind() -> None:
    beliefs = Beliefs()
    beliefs.report("req_1", ServedBy("acct_1", ARM, "debugging"), Signal(0.0, 1.0))
    beliefs.report("req_2", ServedBy("acct_1", ARM, "custom"), Signal(0.0, 1.0))
    assert {node[0] for node in beliefs.shares.common.nodes if len(node) == 1} == {"fix", "chat"}


def test_work_of_which_nothing_is_known_shares_its_expectations() -> None:
    beliefs = Beliefs()
    assert beliefs.known(FIX, "acct_1") == beliefs.known(Work("test", "go", "huge"), "acct_2") == ()
    beliefs.report("req_1", by(), Signal(0.0, 1.0))
    assert beliefs.known(FIX, "acct_2") == beliefs.known(FIX, "acct_3")
    assert beliefs.known(FIX, "acct_1") != beliefs.known(FIX, "acct_2")


def test_the_accounts_that_were_silent_longest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ACCOUNTS", 2)
    monkeypatch.setattr(module, "REMEMBERED", 2)
    beliefs = Beliefs()
    for number in range(4):
        beliefs.report(f"req_{number}", by(f"acct_{number}"), Signal(0.0, 1.0))
    assert list(beliefs.shares.groups) == ["acct_2", "acct_3"]
    beliefs.report("req_0", by("acct_3"), Signal(1.0, 1.0))
    assert beliefs.reported("acct_3") == pytest.approx(2.0)


def test_there_is_something_to_settle_only_after_an_outcome() -> None:
    beliefs = Beliefs()
    assert beliefs.unsettled() is None
    beliefs.report("req_1", by(), Signal(0.0, 1.0))
    evidence = beliefs.unsettled()
    assert evidence is not None
    assert beliefs.unsettled() is None
    expected(beliefs)
    assert beliefs.unsettled() is not None
    assert beliefs.unsettled() is None
    beliefs.settle(Shrinkage.of(evidence, beliefs.stated))
    assert success(beliefs) < 0.8


def told(beliefs: Beliefs, account: str, quality: float, count: int, *, start: int = 0) -> None:
    for number in range(start, start + count):
        expected(beliefs, account)
        beliefs.report(f"{account} {number}", by(account), Signal(quality, 1.0))


def test_an_account_relearns_a_model_that_changed_and_nobody_else_has_to() -> None:
    beliefs = Beliefs()
    told(beliefs, "acct_1", 1.0, 200)
    told(beliefs, "acct_2", 1.0, 200)
    others, trusted = success(beliefs, "acct_2"), success(beliefs, "acct_1")
    assert trusted > 0.9
    told(beliefs, "acct_1", 0.0, 12, start=1_000)
    assert success(beliefs, "acct_1") < 0.45
    assert success(beliefs, "acct_2") > others - 0.1
    assert beliefs.eras(FIX, "acct_1", ARM) >= 1
    assert beliefs.eras(FIX, "acct_2", ARM) == 0


def test_what_several_accounts_see_change_is_relearnt_for_all() -> None:
    beliefs = Beliefs()
    for number in range(40):
        told(beliefs, f"acct_{number}", 1.0, 3)
    before = success(beliefs)
    for number in range(8):
        told(beliefs, f"acct_{number}", 0.0, 1, start=1_000)
    assert before > 0.9
    assert success(beliefs) < 0.6
    assert expected(beliefs).seen == pytest.approx(15.0, abs=4.0)
    assert beliefs.eras(FIX, "acct_39", ARM) == 1
    assert beliefs.watched("acct_39", ARM).group == 0.0


def test_of_a_model_nobody_asked_for_nothing_is_expected_and_so_nothing_changes() -> None:
    beliefs = Beliefs()
    for number in range(40):
        beliefs.report(f"req_{number}", by(), Signal(float(number < 20), 1.0))
    assert beliefs.eras(FIX, "acct_1", ARM) == 0
    assert beliefs.watched("acct_1", ARM) == (0.0, 0.0)
