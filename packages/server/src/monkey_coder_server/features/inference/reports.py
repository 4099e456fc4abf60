"""What callers report of answers: which served request of theirs they mean, and what is learnt of it."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.domain.verification.callers import CallersCheck
from monkey_coder_server.features.inference.beliefs import Signal
from monkey_coder_server.features.inference.learning import Learning
from monkey_coder_server.features.inference.outcomes import ServedBy, Tally
from monkey_coder_server.features.inference.rounds import Failure, Rounds
from monkey_coder_server.features.inference.rounds_asked import RoundsAsked
from monkey_coder_server.ports.ledger import Records

TESTED: Mapping[str, float] = MappingProxyType(
    {CallersCheck.TESTS.value: 1.0, CallersCheck.BUILD.value: 0.5, CallersCheck.LINT.value: 0.3}
)
"""How much is believed of an answer's quality by what passed or failed it."""
PASSED, FAILED = "tests_passed", "tests_failed"
"""Outcomes that a check of the caller's has, whichever it is."""
_receipt = msgspec.json.Decoder(dict)


class Reports:
    """Only requests of the caller's own account can be reported on."""

    def __init__(self, learning: Learning, ledger: Records) -> None:
        self._learning = learning
        self._ledger = ledger

    async def who(self, account_id: str, request_id: str) -> ServedBy:
        """Who served a request of this account. Raises `NotFound`."""
        remembered = self._learning.outcomes.who(account_id, request_id)
        if remembered is not None:
            return remembered
        receipt = await self._ledger.receipt(account_id, request_id)
        if receipt is None:
            message = (
                f"No served request of this account has the id {request_id!r}; send the `request_id` of an answer."
            )
            raise NotFound(message)
        facts = _receipt.decode(receipt.body)
        return ServedBy(account_id, f"{facts['provider']}/{facts['model']}", str(facts.get("task_type", "custom")))

    async def rounds(self, account_id: str, asked: RoundsAsked, task_type: str) -> Rounds:
        """The answers a caller says failed. Raises `NotFound`, and `InvalidRequest` for those of another task."""
        failed = [Failure(each, await self.who(account_id, each)) for each in asked.failed]
        for each in failed:
            if each.by.kind and each.by.task_type != task_type:
                message = f"{each.request_id} was of task_type {each.by.task_type}, this request is of {task_type}."
                raise InvalidRequest(message)
        for each in failed[1:]:
            after = self._learning.callers.after(each.request_id)
            if each.by.kind and failed[0].request_id not in (after or ()):
                message = (
                    f"{each.request_id} was not asked after {failed[0].request_id} had failed, so it is of another "
                    "task; name the requests of one task, the first one first."
                )
                raise InvalidRequest(message)
        return Rounds(asked.verifier, tuple(failed))

    async def failures(self, rounds: Rounds) -> None:
        """Count the verdict on the answers that failed, each once however often it is told."""
        for each in rounds.failed:
            await self.count(each.request_id, each.by, 0.0, FAILED, weight=None, verifier=rounds.verifier)

    async def count(  # noqa: PLR0913 - an outcome, its last two named
        self, request_id: str, by: ServedBy, score: float, outcome: str, *, weight: float | None, verifier: str
    ) -> Tally:
        """Learn an outcome of this score (0 to 1); a weight of None is that of the check that found it."""
        await self._learning.checking.checked(request_id)
        signal = Signal(score, TESTED[verifier] if weight is None else weight)
        if outcome in {PASSED, FAILED}:
            self._learning.callers.found(request_id, by, verifier, passed=outcome == PASSED)
        else:
            self._learning.callers.told(request_id, by, signal)
        return self._learning.reported(request_id, by, signal, outcome)
