"""Codes are stable, unique and known to the protocol."""

import pytest

from monkey_coder_protocol.errors import ErrorCode
from monkey_coder_server.domain.errors import (
    ANOTHER_CANDIDATE_MAY_WORK,
    LONGEST_MESSAGE,
    FailureKind,
    GatewayError,
    InvalidRequest,
    ProviderFailure,
)

ERRORS = [error for error in GatewayError.__subclasses__() if error.__module__ == GatewayError.__module__]


def test_every_error_has_a_code_of_its_own_that_clients_know() -> None:
    codes = [error.code for error in ERRORS]
    assert len(set(codes)) == len(codes)
    assert {*codes, GatewayError.code} <= set(ErrorCode)


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_carries_sentence_facts_and_patience(error: type[GatewayError]) -> None:
    raised = error("It did not work.", facts={"limit": "day"}, retry_after=2.5)
    assert (str(raised), raised.message) == ("It did not work.", "It did not work.")
    assert (raised.facts, raised.retry_after) == ({"limit": "day"}, 2.5)
    assert error("x").facts == {}
    assert error("x").retry_after is None


@pytest.mark.parametrize("kind", FailureKind)
def test_only_what_the_caller_did_wrong_stops_at_the_first_candidate(kind: FailureKind) -> None:
    failure = ProviderFailure("openai", kind, "no")
    assert failure.moves_on == (kind not in {FailureKind.INVALID_REQUEST, FailureKind.CONTENT_FILTER})
    assert failure.moves_on == (kind in ANOTHER_CANDIDATE_MAY_WORK)


def test_a_sentence_that_quotes_too_much_is_cut() -> None:
    told = InvalidRequest(f"The field `{'x' * 5_000}` is not known.").message
    assert len(told) == LONGEST_MESSAGE + 1
    assert told.endswith("…")
