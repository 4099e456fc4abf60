"""OpenAI's Responses API over every provider, with the answers an account has stored."""

from collections.abc import Iterator

from monkey_coder_server.dialects.openai_responses.front import ResponsesFront
from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.domain.scopes import EXECUTE
from monkey_coder_server.features.inference.counting import CountDoor
from monkey_coder_server.features.inference.desk import Desk
from monkey_coder_server.features.inference.hall import Hall, posts
from monkey_coder_server.features.inference.input_items import page_of
from monkey_coder_server.features.inference.recollection import Recollection
from monkey_coder_server.ports.answers import Answers, StoredAnswer
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Endpoint, Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_bytes, json_reply

PREFIXES = ("/v1/responses", "/openai/v1/responses", "/openai/responses")


class StoredResponses:
    """What an account may do with its stored answers; never billed."""

    def __init__(self, answers: Answers, desk: Desk) -> None:
        self._answers = answers
        self._desk = desk

    async def retrieve(self, request: Request) -> Reply:
        """An answer as its caller got it."""
        headers = await self._desk.limit(request)
        if request.query.get("stream") == "true":
            message = "A stored response is not streamed again; ask for it without `stream`."
            raise InvalidRequest(message, facts={"param": "stream"})
        answer = await self._own(request)
        return json_bytes(answer.body, headers=headers)

    async def delete(self, request: Request) -> Reply:
        """Forget an answer."""
        headers = await self._desk.limit(request)
        name = request.parameters["response_id"]
        if not await self._answers.delete(request.principal.account_id, name):
            raise _not_found(name)
        return json_reply({"id": name, "object": "response", "deleted": True}, headers=headers)

    async def input_items(self, request: Request) -> Reply:
        """What a model was asked for an answer, a page at a time."""
        headers = await self._desk.limit(request)
        answer = await self._own(request)
        lineage = await self._answers.lineage(answer.account_id, answer.answer_id)
        return json_reply(page_of(lineage or (answer,), request.query), headers=headers)

    async def _own(self, request: Request) -> StoredAnswer:
        name = request.parameters["response_id"]
        answer = await self._answers.get(request.principal.account_id, name)
        if answer is None:
            raise _not_found(name)
        return answer


def routes(hall: Hall) -> Iterator[Route]:
    """Every endpoint."""
    front = ResponsesFront()
    problems = hall.problems(front)
    memory = Recollection(hall.answers, hall.clock, hall.telemetry)
    door = hall.door(front, "responses", memory=memory)
    counter = CountDoor(front, hall.desk, _counted, provider="openai", memory=memory)
    stored = StoredResponses(hall.answers, hall.desk)

    async def create(request: Request) -> Reply:
        """An answer as OpenAI's SDKs and Codex read it, whole or streamed; stored unless `store` is false."""
        return await door.serve(request)

    async def input_tokens(request: Request) -> Reply:
        """About how many tokens a request has; free of charge."""
        return await counter.serve(request)

    endpoints: tuple[tuple[str, str, Endpoint], ...] = (
        ("GET", "/{response_id}", stored.retrieve),
        ("DELETE", "/{response_id}", stored.delete),
        ("GET", "/{response_id}/input_items", stored.input_items),
    )
    yield from posts(PREFIXES, create, problems)
    yield from posts([f"{prefix}/input_tokens" for prefix in PREFIXES], input_tokens, problems)
    for prefix in PREFIXES:
        for method, path, endpoint in endpoints:
            yield Route(method, prefix + path, endpoint, auth="key", scope=EXECUTE, errors=problems)


def _counted(tokens: int) -> bytes:
    return b'{"object":"response.input_tokens","input_tokens":%d}' % tokens


def _not_found(name: str) -> NotFound:
    return NotFound(f"Response with id '{name}' not found.")
