"""Verdicts of checks that callers run, held against what came out later: how far each of these checks is believed.

What a person says of an answer is the truth about the check that passed or failed it before, whichever came first. An
answer that is accepted after others of its task had failed says faintly that these were wrong, until somebody says so.
"""

from collections import OrderedDict
from collections.abc import Mapping
from types import MappingProxyType

from msgspec.structs import replace

from monkey_coder_server.domain.verification.trust import Trust
from monkey_coder_server.features.inference.beliefs import Signal
from monkey_coder_server.features.inference.outcomes import ServedBy
from monkey_coder_server.features.inference.verdicts import context_of
from monkey_coder_server.ports.record import Record

REMEMBERED = 8_192
"""Answers whose verdicts wait for the truth, or the truth for them."""
ACCEPTED = 0.5
"""An answer of more quality than this did."""
REPLACED = Signal(0.0, 0.2)
"""What is believed of an answer that failed, once a later one of its task was accepted."""
_NO_VERDICTS: Mapping[str, bool] = MappingProxyType({})


class _Noted(Record, frozen=True):
    """An answer: which ones had failed `after` which it was asked for, what checks said, what came out."""

    after: tuple[str, ...] = ()
    by: ServedBy | None = None
    verdicts: Mapping[str, bool] = _NO_VERDICTS
    truth: Signal | None = None


class CallersChecks:
    """Of one process. Told in the turn of the loop in which they are known."""

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._noted: OrderedDict[str, _Noted] = OrderedDict()

    def asked(self, request_id: str, after: tuple[str, ...]) -> None:
        """A request was served after these of its task had failed."""
        self._keep(request_id, replace(self._of(request_id), after=after))

    def after(self, request_id: str) -> tuple[str, ...] | None:
        """The requests that had failed before this one was asked; None where it is not remembered."""
        noted = self._noted.get(request_id)
        return None if noted is None else noted.after

    def found(self, request_id: str, by: ServedBy, verifier: str, *, passed: bool) -> None:
        """A check passed or failed an answer; the same again says nothing new, another verdict takes its place."""
        noted = replace(self._of(request_id), by=by)
        before = noted.verdicts.get(verifier)
        if before == passed:
            return
        if before is not None:
            self._count(noted, verifier, passed=before, sign=-1.0)
        self._count(noted, verifier, passed=passed)
        self._keep(request_id, replace(noted, verdicts={**noted.verdicts, verifier: passed}))

    def told(self, request_id: str, by: ServedBy, truth: Signal) -> None:
        """Somebody says how an answer turned out. Of several the heaviest counts, of equals the latest."""
        noted = replace(self._of(request_id), by=by)
        if noted.truth is not None and noted.truth.weight > truth.weight:
            return
        self._believe(request_id, noted, truth)
        for earlier in noted.after:
            self._replaced(earlier, accepted=truth.quality > ACCEPTED)

    def _replaced(self, request_id: str, *, accepted: bool) -> None:
        """Of an answer that failed nothing else is known than that a later one was accepted, or was not after all."""
        noted = self._of(request_id)
        if noted.truth in {None, REPLACED}:
            self._believe(request_id, noted, REPLACED if accepted else None)

    def _believe(self, request_id: str, noted: _Noted, truth: Signal | None) -> None:
        for verifier, passed in noted.verdicts.items():
            self._learn(noted, verifier, passed=passed, sign=-1.0)
            self._learn(replace(noted, truth=truth), verifier, passed=passed)
        self._keep(request_id, replace(noted, truth=truth))

    def _count(self, noted: _Noted, verifier: str, *, passed: bool, sign: float = 1.0) -> None:
        """Take in a verdict, and what is known of its answer; or take it back."""
        if noted.by is not None:
            self._trust.saw(context_of(noted.by), verifier, passed=passed, weight=sign)
        self._learn(noted, verifier, passed=passed, sign=sign)

    def _learn(self, noted: _Noted, verifier: str, *, passed: bool, sign: float = 1.0) -> None:
        if noted.truth is not None and noted.by is not None:
            quality, weight = noted.truth
            self._trust.learn(context_of(noted.by), [(verifier, passed)], quality, sign * weight)

    def _of(self, request_id: str) -> _Noted:
        return self._noted.get(request_id, _Noted())

    def _keep(self, request_id: str, noted: _Noted) -> None:
        self._noted[request_id] = noted
        if len(self._noted) > REMEMBERED:
            self._noted.popitem(last=False)
