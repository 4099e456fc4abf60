"""`POST /embeddings` of OpenAI and Perplexity (sentences after the recordings and the providers' documentation)."""

from typing import Any

import msgspec

from monkey_coder_server.sandbox import directives, tokens
from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.embeddings import vectors
from monkey_coder_server.sandbox.exchange import Ask, Piece
from monkey_coder_server.sandbox.served import Served
from monkey_coder_server.sandbox.wire_errors import refuse

_MOST_INPUTS = {"openai": 2_048, "perplexity": 512}
_MOST_TOKENS = {"openai": 300_000, "perplexity": 120_000}
_WINDOW = {"openai": 8_192, "perplexity": 32_768}
_LENGTHS = {
    "text-embedding-3-large": 3_072,
    "text-embedding-3-small": 1_536,
    "text-embedding-ada-002": 1_536,
    "pplx-embed-v1-4b": 2_560,
    "pplx-embed-v1-0.6b": 1_024,
}
_FORMATS = {"openai": ("float", "base64"), "perplexity": ("base64_int8", "base64_binary")}
_INVALID = "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference."
_TOO_LONG = (
    "This model's maximum context length is {window} tokens, however you requested {prompt} tokens ({prompt} in your "
    "prompt; 0 for the completion). Please reduce your prompt; or completion length."
)
_ENCODER = msgspec.json.Encoder()


def read(provider: str, card: Card, body: dict[str, Any]) -> Ask:
    """Check and read a request. Raises Refused."""
    inputs = _inputs(provider, body.get("input"))
    pieces = tuple(_piece(each) for each in inputs)
    _limits(provider, pieces)
    encoding = body.get("encoding_format") or _FORMATS[provider][0]
    if encoding not in _FORMATS[provider]:
        refuse("invalid", f"Invalid value: '{encoding}'. Supported values are: {', '.join(_FORMATS[provider])}.")
    prompt, found = directives.taken_from(next((each for each in inputs if isinstance(each, str)), ""))
    return Ask(
        provider=provider,
        model=str(body["model"]),
        pieces=pieces,
        system="",
        prompt=prompt,
        directives=found,
        dimensions=_dimensions(card, body.get("dimensions")),
        encoding=encoding,
    )


def document(served: Served) -> bytes:
    """The whole answer."""
    ask = served.ask
    data = [
        {"object": "embedding", "index": index, "embedding": _written(piece.text, ask)}
        for index, piece in enumerate(ask.pieces)
    ]
    answer: dict[str, Any] = {"object": "list", "data": data, "model": served.card.served_as}
    if served.reported is not None:
        prompt = served.reported.prompt
        answer["usage"] = {"prompt_tokens": prompt, "total_tokens": prompt}
        if ask.provider == "perplexity":
            cost = float(served.bill.exact / 1_000_000_000)
            answer["usage"]["cost"] = {"input_cost": cost, "total_cost": cost, "currency": "USD"}
    return _ENCODER.encode(answer)


def _inputs(provider: str, sent: object) -> list[str | list[int]]:
    if isinstance(sent, str) or (isinstance(sent, list) and sent and all(isinstance(each, int) for each in sent)):
        sent = [sent]
    if not isinstance(sent, list) or not sent or not all(map(_embeddable, sent)):
        refuse("invalid", _INVALID)
    if provider == "perplexity" and not all(isinstance(each, str) for each in sent):
        refuse("invalid", "Input should be a valid string")
    return sent


def _embeddable(each: object) -> bool:
    ids = isinstance(each, list) and all(isinstance(number, int) for number in each)
    return bool(each) and (isinstance(each, str) or ids)


def _piece(sent: str | list[int]) -> Piece:
    if isinstance(sent, str):
        return Piece(sent, tokens.count(sent))
    return Piece(" ".join(map(str, sent)), len(sent))


def _limits(provider: str, pieces: tuple[Piece, ...]) -> None:
    most = _MOST_INPUTS[provider]
    if len(pieces) > most:
        refuse(
            "invalid",
            f"Invalid 'input': array too long. Expected an array with maximum length {most}, but got an array with "
            f"length {len(pieces)} instead.",
            param="input",
            code="array_above_max_length",
        )
    longest, window = max(piece.tokens for piece in pieces), _WINDOW[provider]
    if longest > window:
        refuse("invalid", _TOO_LONG.format(window=window, prompt=longest))
    total, most = sum(piece.tokens for piece in pieces), _MOST_TOKENS[provider]
    if total > most:
        refuse("invalid", f"Requested {total} tokens, max {most} tokens per request", code="max_tokens_per_request")


def _dimensions(card: Card, sent: object) -> int:
    most = _LENGTHS.get(card.id, 1_536)
    if sent is None:
        return most
    if card.id == "text-embedding-ada-002":
        refuse("invalid", "This model does not support specifying dimensions.")
    if not isinstance(sent, int) or not 1 <= sent <= most:
        refuse("invalid", f"Invalid value for 'dimensions' = {sent}. Must be less than or equal to {most}.")
    return sent


def _written(text: str, ask: Ask) -> Any:
    numbers = vectors.vector(text, ask.dimensions)
    if ask.encoding == "float":
        return numbers
    return vectors.packed(numbers) if ask.encoding == "base64" else vectors.signed_bytes(numbers)
