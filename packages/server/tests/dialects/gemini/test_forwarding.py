"""A caller's own Gemini request on its way to Google."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.gemini.signatures import seal_thoughts
from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.domain.conversation import Sampling, Source, Thinking
from monkey_coder_server.ports.provider import WireRequest
from monkey_coder_server.providers.google import PROVIDER
from packages.server.tests.dialects import conversations
from packages.server.tests.dialects.conversations import json_values
from packages.server.tests.dialects.gemini.reading import HELLO, inbound, turn

OLD = "gemini-2.5-flash"
PLAIN = "gemini-3.5-flash"
NEW = "gemini-4-argon"
SKIP = "skip_thought_signature_validator"
FOREIGN = seal_thoughts([Thinking("Hm.", "sig")], "anthropic")


def wire(body: Any, model: str = PLAIN, *, limit: int | None = None, stream: bool = False) -> WireRequest:
    request = inbound(body).request
    if limit is not None:
        request = replace(request, sampling=replace(request.sampling, max_tokens=limit))
    card = conversations.card(PROVIDER, model)
    return PROVIDER.dialect.encode(request, card=card, key="a-key", stream=stream)


def sent(body: Any, model: str = PLAIN, *, limit: int | None = None) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(wire(body, model, limit=limit).body)
    return written


def config(model: str = PLAIN, **fields: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    given_wire = wire({**HELLO, "generationConfig": fields}, model)
    written = json.loads(given_wire.body)["generationConfig"]
    assert written.pop("maxOutputTokens") == 65_536
    return written, given_wire.dropped


def parts(*given_parts: Any, model: str = PLAIN) -> list[Any]:
    return [content["parts"] for content in sent({"contents": [turn("model", *given_parts)]}, model)["contents"]]


def test_every_value_keeps_its_bytes_but_for_the_limit() -> None:
    body = (
        b'{"contents": [ {"parts":[{"text":"H\\u00e9 "}]} ], "safetySettings":[ ], "new": 1.50e1,'
        b' "generationConfig": {"maxOutputTokens": 9000, "topK": 40.0, "new":{ }}}'
    )
    assert wire(body, limit=500).body == (
        b'{"contents":[ {"parts":[{"text":"H\\u00e9 "}]} ],"safetySettings":[ ],"new":1.50e1,'
        b'"generationConfig":{"maxOutputTokens":500,"topK":40.0,"new":{ }}}'
    )


@pytest.mark.parametrize("name", ["generationConfig", "generation_config"])
def test_the_limit_is_set_where_the_caller_spells_it(name: str) -> None:
    assert sent({**HELLO, name: {"max_output_tokens": "90000"}}, limit=70_000) == {
        **HELLO,
        name: {"max_output_tokens": 65_536},
    }
    assert sent(HELLO, limit=500) == {**HELLO, "generationConfig": {"maxOutputTokens": 500}}
    assert sent({**HELLO, name: None}) == {**HELLO, name: {"maxOutputTokens": 65_536}}


def test_a_field_said_twice_is_said_once() -> None:
    body = b'{"contents":[],"generationConfig":{"maxOutputTokens":60000},"generationConfig":{"maxOutputTokens":10}}'
    assert wire(body).body == b'{"contents":[],"generationConfig":{"maxOutputTokens":10}}'


def test_a_stream_is_asked_for_as_events() -> None:
    assert wire(HELLO, stream=True).path == "/v1beta/models/gemini-3.5-flash:streamGenerateContent?alt=sse"
    assert wire(HELLO).path == "/v1beta/models/gemini-3.5-flash:generateContent"
    assert wire(HELLO).headers == {"content-type": "application/json", "x-goog-api-key": "a-key"}


@pytest.mark.parametrize(
    ("tier", "dropped"), [("priority", ("serviceTier",)), ("FLEX", ("serviceTier",)), ("standard", ()), (None, ())]
)
def test_only_the_tier_whose_price_is_known_is_asked_for(tier: str | None, dropped: tuple[str, ...]) -> None:
    for name in ("serviceTier", "service_tier"):
        given_wire = wire({**HELLO, name: tier})
        assert given_wire.dropped == dropped
        assert b"tier" not in given_wire.body.lower()


def test_sampling_a_model_refuses_is_left_out_and_named() -> None:
    given_config = {"temperature": 0.5, "top_p": 0.9, "topK": 4, "seed": 7}
    assert config(PLAIN, **given_config) == (given_config, ())
    assert config(NEW, **given_config) == (
        {"seed": 7},
        ("generationConfig.temperature", "generationConfig.topP", "generationConfig.topK"),
    )


@pytest.mark.parametrize(
    ("model", "thinking"),
    [
        (PLAIN, {"thinkingLevel": "HIGH", "includeThoughts": True}),
        (PLAIN, {"thinking_level": "minimal"}),
        (PLAIN, {"includeThoughts": True}),
        (NEW, {"thinkingLevel": "low"}),
        (OLD, {"thinkingBudget": 0}),
        (OLD, {"thinkingBudget": 24_576, "includeThoughts": True}),
        (OLD, {"thinking_budget": -1}),
    ],
)
def test_thinking_a_model_takes_stays_as_it_is(model: str, thinking: dict[str, Any]) -> None:
    assert config(model, thinkingConfig=thinking) == ({"thinkingConfig": thinking}, ())


@pytest.mark.parametrize(
    ("model", "thinking", "fitting"),
    [
        (NEW, {"thinkingLevel": "MINIMAL"}, {"thinkingLevel": "low", "includeThoughts": False}),
        (NEW, {"thinkingBudget": 0}, {"thinkingLevel": "low"}),
        (PLAIN, {"thinkingBudget": -1}, {"includeThoughts": False}),
        (PLAIN, {"thinkingBudget": 8192, "includeThoughts": True}, {"thinkingLevel": "low", "includeThoughts": True}),
        (PLAIN, {"thinkingBudget": 0, "thinkingLevel": "HIGH"}, {"thinkingLevel": "minimal"}),
        (OLD, {"thinkingLevel": "low"}, {"thinkingBudget": 4096, "includeThoughts": False}),
        (OLD, {"thinking_budget": 30_000}, {"thinkingBudget": 24_576, "includeThoughts": False}),
        ("gemini-2.5-pro", {"thinkingBudget": 0}, {"thinkingBudget": 128}),
    ],
)
def test_thinking_in_another_models_terms_is_put_in_this_ones(model: str, thinking: Any, fitting: Any) -> None:
    assert config(model, thinkingConfig=thinking) == (
        {"thinkingConfig": fitting},
        ("generationConfig.thinkingConfig",),
    )


def test_a_model_that_does_not_think_is_not_told_how() -> None:
    request = inbound({**HELLO, "generationConfig": {"thinkingConfig": {"thinkingBudget": 5}}}).request
    card = replace(conversations.card(PROVIDER, OLD), capabilities=frozenset({Capability.TOOLS}))
    given_wire = PROVIDER.dialect.encode(request, card=card, key="k", stream=False)
    assert json.loads(given_wire.body)["generationConfig"] == {"maxOutputTokens": 65_536}
    assert given_wire.dropped == ("generationConfig.thinkingConfig",)


def call(**more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": "f", "args": {}}, **more}


def test_another_providers_proof_gives_way_to_the_word_that_skips_the_check() -> None:
    for spelling in ("thoughtSignature", "thought_signature"):
        given_parts = [
            {"text": "Hm.", "thought": True, spelling: FOREIGN},
            {"text": "Hi", spelling: FOREIGN},
            call(**{spelling: FOREIGN}),
            call(**{spelling: "own"}),
        ]
        for model in (OLD, NEW):
            assert parts(*given_parts, model=model) == [
                [{"text": "Hi"}, call(thoughtSignature=SKIP), call(**{spelling: "own"})]
            ]


def test_a_proof_written_in_the_other_alphabet_of_base64_is_known_too() -> None:
    other = base64.urlsafe_b64encode(base64.b64decode(FOREIGN)).decode()
    assert parts(call(thoughtSignature=other)) == [[call(thoughtSignature=SKIP)]]


def test_a_turn_of_another_providers_thoughts_alone_is_left_out() -> None:
    contents = [turn("model", {"thought": True, "thoughtSignature": FOREIGN}), {"role": "user"}, *HELLO["contents"]]
    assert sent({"contents": contents})["contents"] == contents[1:]


def test_a_first_call_without_proof_is_given_the_word_where_the_model_asks_for_one() -> None:
    assert parts(call(), call(), model=NEW) == [[call(thoughtSignature=SKIP), call()]]
    assert parts(call(thoughtSignature="own"), call(), model=NEW) == [[call(thoughtSignature="own"), call()]]
    assert parts(call(), model=OLD) == [[call()]]


@given(
    extra=st.dictionaries(st.sampled_from(["safetySettings", "labels", "new"]), json_values, max_size=2),
    settings=st.dictionaries(st.sampled_from(["seed_of", "mediaResolution", "new"]), json_values, max_size=2),
    said=st.lists(st.text(max_size=8), min_size=1, max_size=4),
    limit=st.integers(1, 100_000),
    model=st.sampled_from(PROVIDER.cards),
)
def test_nothing_else_is_touched(extra: Any, settings: Any, said: list[str], limit: int, model: Any) -> None:
    contents = [turn("model" if at % 2 else "user", {"text": text}) for at, text in enumerate(said)]
    body = {**extra, "generationConfig": settings, "contents": contents}
    raw = json.dumps(body, ensure_ascii=False).encode()
    request = replace(inbound(raw).request, sampling=Sampling(max_tokens=limit))
    assert request.source == Source("gemini", raw)
    written = json.loads(PROVIDER.dialect.encode(request, card=model, key="k", stream=True).body)
    assert written.pop("generationConfig").pop("maxOutputTokens") == min(limit, 65_536)
    assert {**written, "generationConfig": settings} == body


def test_the_next_turn_begins_with_the_bytes_of_this_one() -> None:
    earlier = b""
    contents: list[Any] = []
    for at in range(4):
        contents += [turn("user", {"text": f"question {at}"})]
        given_body = {"tools": [{"functionDeclarations": [{"name": "f"}]}], "contents": contents}
        body = wire(json.dumps(given_body, separators=(",", ":")).encode(), NEW).body
        end = body.index(b'],"generationConfig"')
        assert body.startswith(earlier)
        earlier = body[:end]
        contents += [turn("model", call(thoughtSignature=FOREIGN) if at % 2 else call())]
