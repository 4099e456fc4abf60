"""OpenAI's Responses API, for callers and for the providers that speak it with quirks of their own."""

from monkey_coder_server.dialects.openai_responses.dialect import OpenAIResponses
from monkey_coder_server.dialects.openai_responses.front import ResponsesFront
from monkey_coder_server.dialects.openai_responses.names import DIALECT
from monkey_coder_server.dialects.openai_responses.quirks import Quirks

__all__ = ["DIALECT", "OpenAIResponses", "Quirks", "ResponsesFront"]
