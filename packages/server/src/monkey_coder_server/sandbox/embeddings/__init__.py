"""Simulated embeddings: OpenAI's, Perplexity's and Google's requests, limits, usage and vectors."""
