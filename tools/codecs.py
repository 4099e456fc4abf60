"""Every codec of the gateway in one place, for the benchmark and the fuzzer."""

from collections.abc import Mapping
from types import MappingProxyType

from monkey_coder_server.dialects.anthropic_messages.front import MessagesFront
from monkey_coder_server.dialects.gemini.front import GeminiFront
from monkey_coder_server.dialects.openai_chat.front import ChatFront
from monkey_coder_server.dialects.openai_responses.front import ResponsesFront
from monkey_coder_server.ports.front import Front
from monkey_coder_server.ports.provider import Provider
from monkey_coder_server.providers import anthropic, google, groq, moonshot, openai, perplexity, xai

PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {module.PROVIDER.name: module.PROVIDER for module in (openai, anthropic, google, groq, xai, perplexity, moonshot)}
)
FRONTS: tuple[Front, ...] = (ChatFront(), ResponsesFront(), MessagesFront(), GeminiFront())
_MINIMAL = {
    "openai-chat": b'{"model":"auto","messages":[{"role":"user","content":"hi"}],"stream":true}',
    "openai-responses": b'{"model":"auto","input":"hi","stream":true}',
    "anthropic_messages": b'{"model":"auto","max_tokens":9,"messages":[{"role":"user","content":"hi"}],"stream":true}',
    "gemini": b'{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}',
}


def minimal_request(dialect: str) -> bytes:
    """The shortest request of a dialect."""
    return _MINIMAL[dialect]
