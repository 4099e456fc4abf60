"""OpenAI's embeddings: as our callers ask for them, and as the providers that speak it give them."""

from monkey_coder_server.dialects.openai_embeddings.dialect import OpenAIEmbeddings
from monkey_coder_server.dialects.openai_embeddings.front import EmbeddingsFront

__all__ = ["EmbeddingsFront", "OpenAIEmbeddings"]
