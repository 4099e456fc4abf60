"""Idempotency keys: one first answer a day for each, replayed to the same request, refused to another."""

from dataclasses import dataclass
from typing import Any

from monkey_coder_server.sandbox.stripe.periods import DAY
from monkey_coder_server.sandbox.stripe.refusals import Refusal

LONGEST = 255


@dataclass(slots=True)
class Answer:
    """A status and body, and the request they were first given to."""

    status: int
    body: bytes
    request_id: str


@dataclass(slots=True)
class _Kept:
    request: tuple[str, Any]
    at: int
    answer: Answer | None = None


class Keys:
    """What each key was first used for. Keys of test and live mode, and of accounts' two secrets, are apart."""

    def __init__(self) -> None:
        self._kept: dict[tuple[bool, str], _Kept] = {}

    def begin(self, key: tuple[bool, str], path: str, given: Any, now: int) -> Answer | None:
        """The answer to replay, or None: then this request is the first. Raises a refusal for a misused key."""
        kept = self._kept.get(key)
        if kept is None or kept.at + DAY <= now:
            self._kept[key] = _Kept((path, given), now)
            return None
        if kept.request != (path, given):
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with. "
                f"Try using a key other than '{key[1]}' if you meant to execute a different request."
            )
            raise Refusal(400, message, kind="idempotency_error")
        if kept.answer is None:
            message = (
                "There is currently another in-progress request using this Idempotent Key (that probably means you "
                f"submitted twice, and the other request is still going through): {key[1]}. Please try again later."
            )
            raise Refusal(409, message, kind="idempotency_error", code="idempotency_key_in_use")
        return kept.answer

    def save(self, key: tuple[bool, str], answer: Answer) -> None:
        """Keep the first answer."""
        self._kept[key].answer = answer

    def forget(self, key: tuple[bool, str]) -> None:
        """The request was refused before any work: the key is free again."""
        self._kept.pop(key, None)
