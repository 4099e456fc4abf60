"""What is to be embedded, for models that are told it in another format than the caller's."""

from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import ModelRequest, Part, Text
from monkey_coder_server.domain.errors import InvalidRequest


def fits(request: ModelRequest, card: ModelCard) -> None:
    """Raise `InvalidRequest` for more inputs than the model takes at a time."""
    if len(request.messages) > card.inputs:
        message = f"The request holds {len(request.messages)} inputs, but {card.name} takes {card.inputs} at a time."
        raise InvalidRequest(message)


def texts(request: ModelRequest, card: ModelCard) -> list[str]:
    """Each input as one text, the parts of one joined by line feeds.

    Raises `InvalidRequest` for what is no text: token ids mean something else to every tokenizer.
    """
    return ["\n".join(_text(part, card) for part in message.parts) for message in request.messages]


def _text(part: Part, card: ModelCard) -> str:
    if isinstance(part, Text):
        return part.text
    message = f"Token ids are only understood by OpenAI's own models; send {card.name} text."
    raise InvalidRequest(message)
