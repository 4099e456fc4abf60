"""The dialect's name, as requests and parts that came in it are marked."""

DIALECT = "openai-embeddings"
