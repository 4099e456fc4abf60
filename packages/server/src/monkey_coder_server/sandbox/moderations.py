"""`POST /moderations` of OpenAI: free, unmetered, and quick to take offence at a few words."""

from typing import Any

import msgspec

from monkey_coder_server.sandbox import directives
from monkey_coder_server.sandbox.exchange import Ask, Piece
from monkey_coder_server.sandbox.identifiers import base62
from monkey_coder_server.sandbox.served import Served
from monkey_coder_server.sandbox.wire_errors import refuse

MODELS = ("omni-moderation-latest", "omni-moderation-2024-09-26")
_CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
_ONLY_TEXT = frozenset(
    {"harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "sexual/minors"}
)
_OFFENCES = {"kill": "violence", "hate": "hate", "bomb": "illicit/violent"}
_INVALID = "Invalid value for 'input': expected a string, a list of strings, or a list of text and image_url objects."
_ENCODER = msgspec.json.Encoder()


def read(model: str, body: dict[str, Any]) -> Ask:
    """Check and read a request. Raises Refused."""
    sent = body.get("input")
    entries: list[Any] = sent if isinstance(sent, list) else [sent]
    if not entries or not all(isinstance(each, str) or _part(each) for each in entries):
        refuse("invalid", _INVALID, param="input")
    multimodal = any(isinstance(each, dict) for each in entries)
    texts = [each if isinstance(each, str) else str(each.get("text") or "") for each in entries]
    judged = ["\n".join(texts)] if multimodal else texts
    prompt, found = directives.taken_from(judged[0])
    return Ask(
        provider="openai",
        model=model,
        pieces=tuple(Piece(text, 0) for text in judged),
        system="",
        prompt=prompt,
        directives=found,
        encoding="image" if any(isinstance(each, dict) and "image_url" in each for each in entries) else "text",
    )


def identity(served: Served) -> str:
    """The id inside the answer."""
    return f"modr-{base62(served.number, 24)}"


def document(served: Served) -> bytes:
    """The whole answer: one verdict for each text, or for all parts of a multi-modal input together."""
    results = [_verdict(piece.text, with_image=served.ask.encoding == "image") for piece in served.ask.pieces]
    return _ENCODER.encode({"id": identity(served), "model": served.card.served_as, "results": results})


def _part(sent: object) -> bool:
    if not isinstance(sent, dict):
        return False
    if sent.get("type") == "text":
        return isinstance(sent.get("text"), str)
    image = sent.get("image_url")
    return sent.get("type") == "image_url" and isinstance(image, dict) and isinstance(image.get("url"), str)


def _verdict(text: str, *, with_image: bool) -> dict[str, Any]:
    found = {category for word, category in _OFFENCES.items() if word in text.lower()}
    return {
        "flagged": bool(found),
        "categories": {category: category in found for category in _CATEGORIES},
        "category_scores": {category: 0.91 if category in found else 0.000012 for category in _CATEGORIES},
        "category_applied_input_types": {
            category: ["text", "image"] if with_image and category not in _ONLY_TEXT else ["text"]
            for category in _CATEGORIES
        },
    }
