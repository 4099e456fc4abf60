"""The Gemini API: `generateContent`, `streamGenerateContent` and `countTokens` of any model, under any of its bases."""

from collections.abc import Iterator

from monkey_coder_server.dialects.gemini.front import GeminiFront, write_count
from monkey_coder_server.features.inference.counting import CountDoor
from monkey_coder_server.features.inference.door import Door
from monkey_coder_server.features.inference.hall import Hall, posts
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request

BASES = ("/v1beta/models", "/v1/models", "/genai/v1beta/models", "/genai/v1/models", "/v1beta", "/genai/v1beta")
"""Gemini CLI and the AI SDK speak v1beta, the Python SDK v1.

The AI SDK takes a name with a slash for a whole path and leaves out `models/` (seen of opencode 1.18.33).
"""
ENDPOINT = "gemini"


def routes(hall: Hall) -> Iterator[Route]:
    """A model's name may hold slashes: `/v1beta/models/openai/gpt-5:generateContent`."""
    front = GeminiFront()
    api = GeminiApi(hall.door(front, ENDPOINT), CountDoor(front, hall.desk, write_count, provider="google"))
    verbs = {
        "generateContent": api.generate,
        "streamGenerateContent": api.stream,
        "countTokens": api.count,
    }
    for verb, endpoint in verbs.items():
        yield from posts([f"{base}/{{model:path}}:{verb}" for base in BASES], endpoint, hall.problems(front))


class GeminiApi:
    """The endpoints: the path names the model and says what is wanted of it."""

    def __init__(self, door: Door, counter: CountDoor) -> None:
        self._door = door
        self._counter = counter

    async def generate(self, request: Request) -> Reply:
        """The Gemini API: the whole answer in one JSON body."""
        return await self._door.serve(request, path_model=request.parameters["model"], stream=False)

    async def stream(self, request: Request) -> Reply:
        """The Gemini API: server-sent events with `alt=sse`, else one JSON array bit by bit."""
        return await self._door.serve(request, path_model=request.parameters["model"], stream=True)

    async def count(self, request: Request) -> Reply:
        """The Gemini API: about how many tokens a prompt has, free of charge."""
        return await self._counter.serve(request, path_model=request.parameters["model"])
