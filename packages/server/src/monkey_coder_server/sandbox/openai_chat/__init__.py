"""The chat completions dialect as OpenAI, Groq, xAI, Perplexity and Moonshot each speak it."""
