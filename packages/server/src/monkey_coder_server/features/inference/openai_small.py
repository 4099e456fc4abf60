"""Embeddings and moderations in OpenAI's dialect, under each path its SDKs use for them."""

from collections.abc import Iterator

from monkey_coder_server.dialects.openai_embeddings import EmbeddingsFront
from monkey_coder_server.dialects.openai_moderations import ModerationsFront
from monkey_coder_server.features.inference.hall import Hall, posts
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request

PREFIXES = ("/v1", "/openai/v1", "/openai")


def routes(hall: Hall) -> Iterator[Route]:
    """Both endpoints."""
    vectors, verdicts = EmbeddingsFront(), ModerationsFront()
    embedder, judge = hall.door(vectors, "embeddings"), hall.door(verdicts, "moderations")

    async def embeddings(request: Request) -> Reply:
        """A vector for each input, as OpenAI's SDKs read them."""
        return await embedder.serve(request)

    async def moderations(request: Request) -> Reply:
        """OpenAI's verdict on each input; free of charge."""
        return await judge.serve(request)

    yield from posts([f"{prefix}/embeddings" for prefix in PREFIXES], embeddings, hall.problems(vectors))
    yield from posts([f"{prefix}/moderations" for prefix in PREFIXES], moderations, hall.problems(verdicts))
