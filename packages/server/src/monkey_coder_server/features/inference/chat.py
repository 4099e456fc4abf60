"""Chat completions in OpenAI's dialect, and the completions before them, under each path its SDKs use for them."""

from collections.abc import Awaitable, Iterator

from monkey_coder_server.dialects.openai_chat import ChatFront, CompletionsFront
from monkey_coder_server.features.inference.hall import Hall, posts
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request

PREFIXES = ("/v1", "/openai/v1", "/openai")


def routes(hall: Hall) -> Iterator[Route]:
    """Both endpoints."""
    chat, legacy = ChatFront(), CompletionsFront()
    chatter, completer = hall.door(chat, "chat"), hall.door(legacy, "completions")

    def chat_completions(request: Request) -> Awaitable[Reply]:
        """An answer to a conversation, whole or as a stream, as OpenAI's SDKs read it."""
        return chatter.serve(request)

    def completions(request: Request) -> Awaitable[Reply]:
        """A text that answers a prompt: what came before chat completions, on top of the same models."""
        return completer.serve(request)

    yield from posts([f"{prefix}/chat/completions" for prefix in PREFIXES], chat_completions, hall.problems(chat))
    yield from posts([f"{prefix}/completions" for prefix in PREFIXES], completions, hall.problems(legacy))
