"""Whether a caller checks answers itself, and which failed: in the native API by fields, anywhere by headers."""

from collections.abc import Sequence

from monkey_coder_protocol.execute import VERIFIERS, ExecuteRequest
from monkey_coder_server.domain.bandit.cascade import STEPS
from monkey_coder_server.domain.collapse import Collapse, Rule
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.inference import bounds
from monkey_coder_server.ports.record import Record

VERIFIER_HEADER, FAILED_HEADER = "x-mk-verifier", "x-mk-failed"
"""What they are called on the wire, in lower case."""
MOST_FAILED = 8
"""Answers to one task that can have failed: more models are not worth asking."""


class RoundsAsked(Record, frozen=True):
    """As a caller says it: its check, and the ids of requests that failed it, which nobody looked up yet."""

    verifier: str
    failed: tuple[str, ...] = ()


def read_rounds(sent: ExecuteRequest) -> RoundsAsked | None:
    """What the body says. Raises `InvalidRequest`."""
    escalation = sent.escalation
    if escalation is None:
        return None if sent.verifier is None else RoundsAsked(_verifier("The field `verifier`", sent.verifier))
    named = escalation.verifier or sent.verifier or VERIFIERS[0]
    if sent.verifier not in {None, named}:
        raise InvalidRequest("The fields `verifier` and `escalation.verifier` name two checks; name one.")
    checked = _verifier("The field `escalation.verifier`", named)
    return RoundsAsked(checked, _failed("The field `escalation.failed`", escalation.failed))


def rounds_of_headers(verifier: str | None, failed: str | None) -> RoundsAsked | None:
    """What the headers `X-MK-Verifier` and `X-MK-Failed` (ids between commas) say. Raises `InvalidRequest`."""
    if failed is None:
        return None if verifier is None else RoundsAsked(_verifier("The header `X-MK-Verifier`", verifier))
    ids = [each.strip() for each in failed.split(",")]
    named = _verifier("The header `X-MK-Verifier`", verifier or VERIFIERS[0])
    return RoundsAsked(named, _failed("The header `X-MK-Failed`", ids))


def collapse_of_rounds(said: Collapse | None, *, team: bool) -> Collapse:
    """The cascade such a request asks for, of at most four models where it does not say. Raises `InvalidRequest`."""
    if team:
        raise InvalidRequest("Several agents and a `verifier` were both asked for; leave out one of them.")
    if said is None:
        return Collapse(rule=Rule.CASCADE, branches=STEPS)
    if said.rule is not Rule.CASCADE or said.branches < 2:
        raise InvalidRequest(
            "A `verifier` goes with the collapse strategy `cascade` of two models or more; leave the others out."
        )
    return said


def _verifier(where: str, name: str) -> str:
    if name not in VERIFIERS:
        message = f"{where} must be one of {', '.join(VERIFIERS)}; {name[: bounds.LONGEST_NAME]!r} was sent."
        raise InvalidRequest(message)
    return name


def _failed(where: str, ids: Sequence[str]) -> tuple[str, ...]:
    if not 0 < len(ids) <= MOST_FAILED or len(set(ids)) < len(ids):
        message = f"{where} must name 1 to {MOST_FAILED} requests, each once; {len(ids)} were named."
        raise InvalidRequest(message)
    for each in ids:
        bounds.name("escalation.failed", each)
    return tuple(ids)
