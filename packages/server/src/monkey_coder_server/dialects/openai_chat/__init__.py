"""OpenAI's chat completions, and the providers that speak it with quirks of their own."""

from monkey_coder_server.dialects.openai_chat.dialect import OpenAIChat
from monkey_coder_server.dialects.openai_chat.quirks import THOUGHTS, Quirks

__all__ = ["THOUGHTS", "OpenAIChat", "Quirks"]
