"""Where the foreign dialects are served: each path with its aliases, its own errors and its own reader and writers."""

from collections.abc import Callable, Iterator

from monkey_coder_server.features.inference import chat, gemini, gemini_embeddings, messages, openai_small, responses
from monkey_coder_server.features.inference.hall import Hall
from monkey_coder_server.web.feature import Route

DIALECTS: tuple[Callable[[Hall], Iterator[Route]], ...] = (
    chat.routes,
    responses.routes,
    messages.routes,
    gemini.routes,
    gemini_embeddings.routes,
    openai_small.routes,
)


def routes(hall: Hall) -> Iterator[Route]:
    """The routes of every foreign dialect."""
    for dialect in DIALECTS:
        yield from dialect(hall)
