"""What callers of Responses may go on from: earlier answers of their account, put into the requests that name them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

import msgspec
from msgspec import Raw

from monkey_coder_server.domain.errors import GatewayError, InvalidRequest, RequestTooLarge
from monkey_coder_server.features.inference.door import Keep
from monkey_coder_server.ports.answers import Answers, StoredAnswer
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.telemetry import Telemetry
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.within import Within

KEPT: Final = timedelta(days=30)
"""As long as OpenAI keeps a response (platform documentation, conversation state)."""
SAVE_SECONDS: Final = 3.0
"""The last byte of an answer waits for its storage, but not for a database that has stopped in its tracks."""
_REFERENCE: Final = b'"item_reference"'
_NOTHING: Final = Raw()


class _Asked(msgspec.Struct, gc=False):
    """What decides whether and how an answer is kept."""

    input: Raw = _NOTHING
    previous_response_id: str | None = None
    store: bool | None = None


class _Item(msgspec.Struct, gc=False):
    type: str | None = None
    id: str | None = None


class _Answer(msgspec.Struct, gc=False):
    id: str
    output: list[Raw]


_asked = msgspec.json.Decoder(_Asked).decode
_fields = msgspec.json.Decoder(dict[str, Raw]).decode
_items = msgspec.json.Decoder(list[Raw]).decode
_item = msgspec.json.Decoder(_Item).decode
_answer = msgspec.json.Decoder(_Answer).decode
_encode = msgspec.json.Encoder().encode


class Recollection:
    """Implements `door.Memory`. An answer is kept unless its caller says `"store": false`, as at OpenAI."""

    def __init__(self, answers: Answers, clock: Clock, telemetry: Telemetry) -> None:
        self._answers = answers
        self._clock = clock
        self._telemetry = telemetry

    async def recall(self, request: Request, body: bytes) -> tuple[bytes, Keep | None]:
        """The body with all it goes on from in its input; its own ids stay for its reader.

        Raises `InvalidRequest` for an answer or item that is not there, `RequestTooLarge`.
        """
        try:
            asked = _asked(body)
            own = _own_items(asked.input)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return body, None  # its reader says what is wrong
        account = request.principal.account_id
        if _REFERENCE in body:
            own = await self._resolved(account, own)
        previous = asked.previous_response_id or None
        if previous is not None or _REFERENCE in body:
            history = [] if previous is None else await self._history(account, previous)
            body = _encode(_fields(body) | {"input": Raw(_encode([*history, *own]))})
            if len(body) > request.body_limit:
                message = "The answers before this one are longer than this gateway accepts; begin anew with less."
                raise RequestTooLarge(message)
        keep = None if asked.store is False else partial(self._keep, account, previous, own)
        return body, keep

    async def _history(self, account: str, previous: str) -> list[Raw]:
        """Everything asked and answered up to an answer."""
        lineage = await self._answers.lineage(account, previous)
        if not lineage:
            message = (
                f"Previous response with id '{previous}' not found, or one it goes on from was deleted or expired."
            )
            facts = {"code": "previous_response_not_found", "param": "previous_response_id"}
            raise InvalidRequest(message, facts=facts)
        return [item for answer in lineage for item in conversation_of(answer)]

    async def _resolved(self, account: str, own: Sequence[Raw]) -> list[Raw]:
        """The items with those in place of references that are referred to."""
        wanted = {place: item.id for place, item in enumerate(map(_known, own)) if item.type == "item_reference"}
        found = await self._answers.holding(account, {name for name in wanted.values() if name is not None})
        resolved = list(own)
        for place, name in wanted.items():
            item = _item_of(found, name)
            if item is None:
                message = f"Item with id '{name}' not found. Send the item itself, or have its response stored."
                raise InvalidRequest(message, facts={"param": f"input[{place}].id"})
            resolved[place] = item
        return resolved

    async def _keep(self, account: str, previous: str | None, own: Sequence[Raw], body: bytes) -> None:
        """Store an answer. One that cannot be stored, or not soon, is given to its caller all the same."""
        answer = _answer(body)
        now = self._clock.now()
        stored = StoredAnswer(
            answer_id=answer.id,
            account_id=account,
            previous=previous,
            asked=_encode(own),
            body=body,
            at=now,
            expires_at=now + KEPT,
        )
        items = [item.id for item in map(_known, answer.output) if item.id]
        try:
            with Within(SAVE_SECONDS):
                await self._answers.save(stored, items)
        except (GatewayError, TimeoutError) as away:
            self._telemetry.defect("stored responses", away)


def conversation_of(answer: StoredAnswer) -> list[Raw]:
    """What was asked, then what was answered."""
    return [*_items(answer.asked), *_answer(answer.body).output]


def _own_items(given: Raw) -> list[Raw]:
    """The input as items. A plain string is what a user says."""
    if not given or bytes(given) == b"null":
        return []
    if bytes(given).lstrip().startswith(b'"'):
        return [Raw(b'{"role":"user","content":' + bytes(given) + b"}")]
    return _items(given)


def _known(item: Raw) -> _Item:
    """Type and id of an item; none of what is no item, which its reader refuses."""
    try:
        return _item(item)
    except msgspec.ValidationError:
        return _Item()


def _item_of(found: Mapping[str, StoredAnswer], name: str | None) -> Raw | None:
    answer = None if name is None else found.get(name)
    if answer is None:
        return None
    return next((item for item in _answer(answer.body).output if _known(item).id == name), None)
