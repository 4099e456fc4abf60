"""Who reads `GET /v1/models`: the same path means another shape to each."""

from enum import Enum, auto

from monkey_coder_server.web.request import Request


class Reader(Enum):
    """`ANY` reads what it knows of one body: OpenAI's SDKs, our own clients, whoever names nothing."""

    CODEX = auto()
    GEMINI = auto()
    CLAUDE = auto()
    ANY = auto()


def reader_of(request: Request) -> Reader:
    """Codex names its version, Google's SDKs themselves or their kind of key, Anthropic's the version of its API."""
    if "client_version" in request.query:
        return Reader.CODEX
    if request.header("x-goog-api-client") is not None or request.header("x-goog-api-key") is not None:
        return Reader.GEMINI
    if request.header("anthropic-version") is not None:
        return Reader.CLAUDE
    return Reader.ANY
