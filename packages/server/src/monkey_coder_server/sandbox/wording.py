"""Sentences providers answer with when a model is unknown, missing, of the wrong kind, or too small for the prompt."""

from typing import Any

import msgspec

from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.exchange import Kind
from monkey_coder_server.sandbox.wire_errors import Refused, refuse

_DECODER = msgspec.json.Decoder()
_MODEL_MISSING = {"anthropic": "model: Field required", "groq": "'model' : property 'model' is missing"}
_NOT_JSON = (
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
    "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
)
_NOT_CHAT = (
    "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use "
    "v1/responses?"
)
_UNKNOWN = {
    "anthropic": "model: {model}",
    "google": "models/{model} is not found for API version v1beta, or is not supported for generateContent. Call "
    "ModelService.ListModels to see the list of available models and their supported methods.",
    "xai": "The model {model} does not exist or your team does not have access to it. Please ensure you're using the "
    "correct API key. If you believe this is a mistake, please contact support.",
    "perplexity": "Invalid model '{model}'. Permitted models can be found in the documentation at "
    "https://docs.perplexity.ai/guides/model-cards.",
    "moonshot": "Not found the model {model} or Permission denied",
}
_TOO_LONG_FOR_RESPONSES = "Your input exceeds the context window of this model. Please adjust your input and try again."
_TOO_LONG = {
    "anthropic": "prompt is too long: {prompt} tokens > {window} maximum",
    "google": "The input token count ({prompt}) exceeds the maximum number of tokens allowed ({window}).",
    "xai": "This model's maximum prompt length is {window} but the request contains {prompt} tokens.",
    "perplexity": "User input tokens exceeds {window} tokens.",
    "groq": "Please reduce the length of the messages or completion.",
    "moonshot": "Invalid request: Your request exceeded model token limit: {window} (requested: {prompt})",
    "openai": "This model's maximum context length is {window} tokens. However, your messages resulted in {prompt} "
    "tokens. Please reduce the length of the messages.",
}


def decoded(provider: str, raw: bytes) -> dict[str, Any]:
    """The JSON object of a request. Raises Refused."""
    try:
        body = _DECODER.decode(raw)
    except msgspec.DecodeError as error:
        messages = {
            "anthropic": f"The request body is not valid JSON: {error}",
            "google": f"Invalid JSON payload received. {error}",
        }
        raise Refused("invalid", messages.get(provider, _NOT_JSON)) from error
    if not isinstance(body, dict):
        refuse("invalid", "Input should be a valid dictionary")
    return body


def model_name(provider: str, name: object) -> str:
    """The model a request names. Raises Refused where it names none."""
    if not isinstance(name, str) or not name:
        refuse("invalid", _MODEL_MISSING.get(provider, "you must provide a model parameter"))
    return name


def known(provider: str, name: str, card: Card | None, kind: Kind = "chat", *, responses: bool = False) -> Card:
    """The card of a model. Raises Refused where there is none, or it is not served by this endpoint."""
    if card is None and responses and provider == "openai":
        refuse("invalid", f"The requested model '{name}' does not exist.", param="model", code="model_not_found")
    if card is None:
        fallback = "The model `{model}` does not exist or you do not have access to it."
        sentence = _UNKNOWN.get(provider, fallback).format(model=name)
        refuse("not_found", sentence if kind == "chat" else sentence.replace("generateContent", "embedContent"))
    if card.responses_only and not responses:
        refuse("not_found", _NOT_CHAT, param="model")
    return card


def fits(provider: str, prompt: int, window: int, *, responses: bool = False) -> None:
    """Raise Refused for a prompt longer than the model's context window, both in tokens."""
    if prompt > window:
        if responses and provider == "openai":
            refuse("invalid", _TOO_LONG_FOR_RESPONSES, param="input", code="context_length_exceeded")
        code = "too_many_prompt_tokens" if provider == "perplexity" else "context_length_exceeded"
        message = _TOO_LONG[provider].format(prompt=prompt, window=window)
        refuse("invalid", message, param="messages", code=code)
