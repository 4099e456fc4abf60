"""Refusals: the first of a kind is written, the others are counted, and there are never many kinds."""

from monkey_coder_server.domain.audit_damping import MOST_KINDS, OTHERS, SECONDS, Counted, Damper, Kind

LOGIN = Kind("acc_1", "session.open", "192.0.2.1")


def test_the_first_refusal_of_a_kind_is_written_and_the_others_are_counted() -> None:
    damper = Damper()
    assert [damper.admit(LOGIN, 10.0 + at) for at in range(4)] == [True, False, False, False]
    assert damper.due(10.0 + SECONDS - 1) == []
    assert damper.due(10.0 + SECONDS) == [Counted(LOGIN, 3)]
    assert damper.due(10.0 + 2 * SECONDS) == []
    assert damper.admit(LOGIN, 10.0 + SECONDS)


def test_a_kind_that_came_once_is_not_told_again() -> None:
    damper = Damper()
    damper.admit(LOGIN, 0.0)
    assert damper.due(SECONDS) == []
    assert damper.admit(LOGIN, SECONDS)


def test_a_million_strangers_write_a_hundred_lines_and_one() -> None:
    damper = Damper()
    written = sum(damper.admit(Kind("", "session.open", str(number)), 0.0) for number in range(5_000))
    assert written == MOST_KINDS + 1
    assert damper.due(SECONDS) == [Counted(OTHERS, 5_000 - MOST_KINDS - 1)]
