"""The Anthropic dialect, over every provider, under each path its SDKs and agents use for it."""

from collections.abc import Iterator

from monkey_coder_server.dialects.anthropic_messages.front import MessagesFront
from monkey_coder_server.features.inference.counting import CountDoor
from monkey_coder_server.features.inference.hall import Hall, posts
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request

PREFIXES = ("/v1", "/anthropic/v1")


def routes(hall: Hall) -> Iterator[Route]:
    """Both endpoints."""
    front = MessagesFront()
    problems = hall.problems(front)
    door = hall.door(front, "messages")
    counter = CountDoor(MessagesFront(counts_only=True), hall.desk, _counted, provider="anthropic")

    async def messages(request: Request) -> Reply:
        """An answer as Anthropic's SDKs and Claude Code read it, whole or streamed."""
        return await door.serve(request)

    async def count_tokens(request: Request) -> Reply:
        """About how many tokens a prompt has; free of charge."""
        return await counter.serve(request)

    yield from posts([f"{prefix}/messages" for prefix in PREFIXES], messages, problems)
    yield from posts([f"{prefix}/messages/count_tokens" for prefix in PREFIXES], count_tokens, problems)


def _counted(tokens: int) -> bytes:
    return b'{"input_tokens":%d}' % tokens
