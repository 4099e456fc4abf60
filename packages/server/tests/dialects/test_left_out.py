"""A parameter a model is not told is named, unless it asks for what everyone gets."""

import json

import pytest

from monkey_coder_server.dialects.left_out import left_out
from monkey_coder_server.domain.conversation import ModelRequest, Sampling
from monkey_coder_server.ports.provider import Provider
from monkey_coder_server.providers import anthropic, google, openai
from packages.server.tests.dialects.conversations import user

EVERYTHING = Sampling(9, 0.5, 0.9, 40, 7, ("END",), 0.1, 0.2)


def test_what_was_asked_for_and_is_not_written() -> None:
    words = {"temperature": "temperature", "top_k": "topK", "stop": "stop_sequences"}
    assert left_out(EVERYTHING, words, {"temperature": 1, "topK": 2}) == (
        "top_p",
        "seed",
        "stop",
        "presence_penalty",
        "frequency_penalty",
    )
    assert left_out(Sampling(), {}, {}) == ()
    assert left_out(Sampling(9, 1.0, 1, presence_penalty=0.0, frequency_penalty=0), {}, {}) == ()


@pytest.mark.parametrize(
    ("provider", "model", "names"),
    [
        (anthropic.PROVIDER, "claude-opus-4-8", "temperature top_p top_k seed presence_penalty frequency_penalty"),
        (anthropic.PROVIDER, "claude-haiku-4-5", "top_p seed presence_penalty frequency_penalty"),
        (google.PROVIDER, "gemini-2.5-pro", ""),
        (google.PROVIDER, "gemini-4-argon", "temperature top_p top_k presence_penalty frequency_penalty"),
        (openai.PROVIDER, "gpt-4.1", "top_k"),
        (openai.PROVIDER, "gpt-5", "temperature top_p stop presence_penalty frequency_penalty top_k"),
    ],
)
def test_every_provider_names_what_its_model_is_not_told(provider: Provider, model: str, names: str) -> None:
    card = next(card for card in provider.cards if card.model.startswith(model))
    request = ModelRequest((user("hi"),), sampling=EVERYTHING)
    wire = provider.dialect.encode(request, card=card, key="k", stream=False)
    assert set(wire.dropped) == set(names.split())
    assert json.loads(wire.body)
