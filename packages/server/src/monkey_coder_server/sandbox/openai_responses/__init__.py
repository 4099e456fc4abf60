"""OpenAI Responses, as OpenAI and xAI speak it."""
