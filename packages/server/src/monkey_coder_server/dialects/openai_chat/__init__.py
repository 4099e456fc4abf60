"""OpenAI's chat completions, and the providers that speak it with quirks of their own."""

from monkey_coder_server.dialects.openai_chat.completions import CompletionsFront
from monkey_coder_server.dialects.openai_chat.dialect import OpenAIChat
from monkey_coder_server.dialects.openai_chat.front import ChatFront
from monkey_coder_server.dialects.openai_chat.quirks import ADDITIONS, Quirks

__all__ = ["ADDITIONS", "ChatFront", "CompletionsFront", "OpenAIChat", "Quirks"]
