"""The Gemini API: `embedContent` and `batchEmbedContents` of any embedding model, under any of its bases."""

from collections.abc import Iterator

from monkey_coder_server.dialects.gemini.embeddings_front import GeminiEmbeddingsFront
from monkey_coder_server.features.inference.gemini import BASES
from monkey_coder_server.features.inference.hall import Hall, posts
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request

ENDPOINT = "embeddings"


def routes(hall: Hall) -> Iterator[Route]:
    """Both methods."""
    single, batch = GeminiEmbeddingsFront(batch=False), GeminiEmbeddingsFront(batch=True)
    one, many = hall.door(single, ENDPOINT), hall.door(batch, ENDPOINT)

    async def embed(request: Request) -> Reply:
        """The Gemini API: the vector of one content."""
        return await one.serve(request, path_model=request.parameters["model"])

    async def embed_batch(request: Request) -> Reply:
        """The Gemini API: a vector for each request of a batch."""
        return await many.serve(request, path_model=request.parameters["model"])

    yield from posts([f"{base}/{{model:path}}:embedContent" for base in BASES], embed, hall.problems(single))
    yield from posts([f"{base}/{{model:path}}:batchEmbedContents" for base in BASES], embed_batch, hall.problems(batch))
