"""`:embedContent` and `:batchEmbedContents` of Google (sentences after the recordings and public reports)."""

from typing import Any

from monkey_coder_server.sandbox import directives, tokens
from monkey_coder_server.sandbox.embeddings import vectors
from monkey_coder_server.sandbox.exchange import Ask, Piece
from monkey_coder_server.sandbox.gemini.write import encoded
from monkey_coder_server.sandbox.served import Served
from monkey_coder_server.sandbox.wire_errors import refuse

_MOST_INPUTS = 100
_LENGTH = 3_072
_UNMETERED = frozenset({"gemini-embedding-001"})
"""Models that say nothing of usage."""


def read(model: str, body: dict[str, Any], *, batch: bool) -> Ask:
    """Check and read a request. Raises Refused."""
    requests = body.get("requests") if batch else [body]
    if not isinstance(requests, list) or not requests:
        refuse("invalid", "* BatchEmbedContentsRequest.requests: requests is not specified\n")
    if len(requests) > _MOST_INPUTS:
        refuse("invalid", "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n")
    texts = [_text(model, request, batch=batch) for request in requests]
    prompt, found = directives.taken_from(texts[0])
    return Ask(
        provider="google",
        model=model,
        pieces=tuple(Piece(text, tokens.count(text)) for text in texts),
        system="",
        prompt=prompt,
        directives=found,
        dimensions=_dimensions(requests[0].get("outputDimensionality")),
        encoding="batch" if batch else "single",
    )


def document(served: Served) -> bytes:
    """The whole answer, indented as Google does it."""
    ask = served.ask
    found = [{"values": vectors.vector(piece.text, ask.dimensions)} for piece in ask.pieces]
    answer: dict[str, Any] = {"embeddings": found} if ask.encoding == "batch" else {"embedding": found[0]}
    if served.reported is not None and served.card.id not in _UNMETERED:
        number = served.reported.prompt
        details = [{"modality": "TEXT", "tokenCount": number}]
        answer["usageMetadata"] = {"promptTokenCount": number, "promptTokenDetails": details}
    return encoded(answer)


def _text(model: str, request: Any, *, batch: bool) -> str:
    if not isinstance(request, dict):
        refuse("invalid", 'Invalid value at "requests"')
    if batch and request.get("model") != f"models/{model}":
        refuse("invalid", f"* BatchEmbedContentsRequest.requests[0].model: model must be models/{model}\n")
    parts = (request.get("content") or {}).get("parts") or []
    texts = [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
    if not any(texts):
        refuse("invalid", "* EmbedContentRequest.content: contents is not specified\n")
    return "\n".join(texts)


def _dimensions(sent: object) -> int:
    if sent is None:
        return _LENGTH
    if not isinstance(sent, int) or not 1 <= sent <= _LENGTH:
        refuse("invalid", f"* EmbedContentRequest.output_dimensionality: must be within [1, {_LENGTH}]\n")
    return sent
