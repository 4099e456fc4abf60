"""OpenAI's moderations: free of charge, and nobody else has them."""

from monkey_coder_server.dialects.openai_moderations.dialect import OpenAIModerations
from monkey_coder_server.dialects.openai_moderations.front import ModerationsFront

__all__ = ["ModerationsFront", "OpenAIModerations"]
