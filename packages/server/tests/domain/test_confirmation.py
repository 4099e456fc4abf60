"""How long a proof counts."""

from datetime import UTC, datetime, timedelta

from monkey_coder_server.domain.confirmation import FRESH, Action, SecondFactors, fresh

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_a_proof_counts_for_five_minutes() -> None:
    assert timedelta(minutes=5) == FRESH
    assert fresh(NOON, NOON)
    assert fresh(NOON, NOON + FRESH - timedelta(seconds=1))
    assert not fresh(NOON, NOON + FRESH)
    assert not fresh(None, NOON)


def test_the_words_are_those_of_the_wire_and_of_the_settings() -> None:
    assert Action("identity") is Action.IDENTITY
    assert [*Action] == ["keys", "money", "factors", "identity", "organization", "operator"]
    assert SecondFactors("optional") is SecondFactors.OPTIONAL
    assert [*SecondFactors] == ["off", "optional", "required"]
