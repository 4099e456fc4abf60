"""The official SDK of each dialect, configured as its documentation says."""

import httpx2

from tests.matrix.anthropic_messages import Messages
from tests.matrix.gemini import Gemini
from tests.matrix.openai_chat import Chat
from tests.matrix.openai_responses import Responses
from tests.matrix.words import Driver

DIALECTS = ("chat", "responses", "messages", "gemini")


def driver(dialect: str, base_url: str, key: str, transport: httpx2.BaseTransport | None = None) -> Driver:
    """The SDK of a dialect, pointed at a gateway; over another transport than sockets where one is given."""
    match dialect:
        case "chat":
            return Chat(f"{base_url}/v1", key, transport)
        case "responses":
            return Responses(f"{base_url}/v1", key, transport)
        case "messages":
            return Messages(base_url, key, transport)
        case _:
            return Gemini(base_url, key, transport)
