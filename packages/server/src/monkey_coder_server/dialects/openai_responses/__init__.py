"""OpenAI's Responses API."""

from monkey_coder_server.dialects.openai_responses.front import ResponsesFront

__all__ = ["ResponsesFront"]
