"""A caller's own Messages request reaches Anthropic as it was written, but for what the model cannot take."""

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.anthropic_messages.front import MessagesFront
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.front import Envelope
from monkey_coder_server.ports.provider import WireRequest
from monkey_coder_server.providers.anthropic import PROVIDER
from packages.server.tests.dialects import conversations
from packages.server.tests.dialects.anthropic_messages import agents
from packages.server.tests.dialects.conversations import json_values
from packages.server.tests.dialects.hostile import bent

BUDGET = "claude-haiku-4-5"
BOTH = "claude-opus-4-6"
ADAPTIVE = "claude-opus-4-8"
ALWAYS = "claude-opus-5-5"
BETWEEN = "claude-sonnet-5-5"
PLAIN: dict[str, Any] = {"model": "auto", "max_tokens": 9_000, "messages": [{"role": "user", "content": "hi"}]}
FORMAT = {"type": "json_schema", "schema": {}}
LEFT_ALONE = ("model", "max_tokens", "stream")


def read(body: dict[str, Any] | bytes, headers: dict[str, str] | None = None) -> ModelRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body, indent=1).encode()
    return MessagesFront().read(raw, Envelope(headers=headers or {}, query={})).request


def wire(
    body: dict[str, Any] | bytes,
    model: str = ADAPTIVE,
    *,
    stream: bool = True,
    limit: int | None = None,
    headers: dict[str, str] | None = None,
    card: ModelCard | None = None,
) -> WireRequest:
    request = read(body, headers)
    if limit is not None:
        request = replace(request, sampling=replace(request.sampling, max_tokens=limit))
    return PROVIDER.dialect.encode(
        request, card=card or conversations.card(PROVIDER, model), key="a-key", stream=stream
    )


def sent(fields: dict[str, Any], model: str = ADAPTIVE, **more: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The fields that arrive beside the plain ones, and what was dropped."""
    request = wire({**PLAIN, **fields}, model, **more)
    body = json.loads(request.body)
    return {name: value for name, value in body.items() if name not in LEFT_ALONE}, request.dropped


def raw_fields(body: bytes) -> dict[str, bytes]:
    return {name: bytes(raw) for name, raw in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()}


@pytest.mark.parametrize("name", agents.ALL)
def test_an_agents_request_keeps_its_bytes(name: str) -> None:
    written = json.dumps(agents.ALL[name], indent=2, ensure_ascii=False).encode()
    model = ADAPTIVE if name.startswith("claude") else "claude-sonnet-4-5"
    request = wire(written, model)
    before, after = raw_fields(written), raw_fields(request.body)
    assert list(after) == list(before), "in their order"
    assert {name for name in before if after[name] != before[name]} <= {"model"}
    assert json.loads(request.body)["model"] == model
    assert request.dropped == ()
    assert request.path == "/v1/messages"


@given(unknown=st.dictionaries(st.text(min_size=1, max_size=6), json_values, max_size=4), stream=st.booleans())
def test_unknown_fields_arrive_as_they_were_written(unknown: dict[str, Any], stream: bool) -> None:
    fields = {f"x_{name}": value for name, value in unknown.items()}
    written = json.dumps({**fields, **PLAIN}, indent=3).encode()
    after = raw_fields(wire(written, stream=stream).body)
    assert {name: raw for name, raw in after.items() if name in fields} == {
        name: raw for name, raw in raw_fields(written).items() if name in fields
    }
    assert after.get("stream", b"false") == (b"true" if stream else b"false")


def test_the_next_turn_begins_with_the_bytes_of_this_one() -> None:
    first, second = agents.claude_code(), agents.claude_code_next()
    for model in (ADAPTIVE, BUDGET):
        one = raw_fields(wire(first, model).body)["messages"]
        two = raw_fields(wire(second, model).body)["messages"]
        assert two.replace(b" ", b"").startswith(one.replace(b" ", b"").rstrip(b"\n]"))


@pytest.mark.parametrize(("limit", "expected"), [(None, 9_000), (500, 500), (9_000, 9_000), (0, 0)])
def test_the_length_is_never_above_the_routes(limit: int | None, expected: int) -> None:
    assert json.loads(wire(PLAIN, limit=limit).body)["max_tokens"] == expected


def test_the_length_is_never_above_the_models() -> None:
    assert json.loads(wire({**PLAIN, "max_tokens": 10_000_000}).body)["max_tokens"] == 128_000


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {"anthropic-version": "2023-06-01"}),
        (
            {"anthropic-version": "2024-01-01", "anthropic-beta": "a, b,a,"},
            {"anthropic-version": "2024-01-01", "anthropic-beta": "a,b"},
        ),
    ],
)
def test_headers_that_mean_something_to_anthropic_go_along(given: dict[str, str], expected: dict[str, str]) -> None:
    headers = wire(PLAIN, headers={**given, "authorization": "Bearer mk-1", "x-api-key": "mk-1"}).headers
    assert headers == {"content-type": "application/json", "x-api-key": "a-key", **expected}


@pytest.mark.parametrize(
    ("model", "thinking", "expected"),
    [
        (ADAPTIVE, {"type": "adaptive"}, {"type": "adaptive"}),
        (ADAPTIVE, {"type": "disabled"}, {"type": "disabled"}),
        (ADAPTIVE, {"type": "unheard-of", "x": 1}, {"type": "unheard-of", "x": 1}),
        (BOTH, {"type": "enabled", "budget_tokens": 2048}, {"type": "enabled", "budget_tokens": 2048}),
        (BUDGET, {"type": "enabled", "budget_tokens": 2048}, {"type": "enabled", "budget_tokens": 2048}),
        (BETWEEN, {"type": "between_tools"}, {"type": "between_tools"}),
    ],
)
def test_thinking_the_model_takes_is_left_alone(model: str, thinking: dict[str, Any], expected: dict[str, Any]) -> None:
    fields, dropped = sent({"thinking": thinking}, model)
    assert (fields["thinking"], dropped) == (expected, ())


@pytest.mark.parametrize(
    ("model", "fields", "expected"),
    [
        (BUDGET, {"thinking": {"type": "adaptive"}}, {"thinking": {"type": "enabled", "budget_tokens": 4500}}),
        (
            BUDGET,
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
        ),
        (
            ADAPTIVE,
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "low"}},
        ),
        (
            ADAPTIVE,
            {"thinking": {"type": "enabled", "budget_tokens": 2048}, "output_config": {"effort": "max", "x": 1}},
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "max", "x": 1}},
        ),
        (ALWAYS, {"thinking": {"type": "disabled"}}, {"output_config": {"effort": "low"}}),
        (BETWEEN, {"thinking": {"type": "disabled"}}, {"thinking": {"type": "between_tools"}}),
        (ADAPTIVE, {"thinking": {"type": "between_tools"}}, {"thinking": {"type": "disabled"}}),
    ],
)
def test_thinking_the_model_does_not_take_is_said_in_its_words(
    model: str, fields: dict[str, Any], expected: dict[str, Any]
) -> None:
    arrived, dropped = sent(fields, model)
    assert {name: arrived[name] for name in expected} == expected
    assert ("thinking" in arrived) == ("thinking" in expected)
    assert "thinking" in dropped


def test_a_model_that_cannot_think_is_not_asked_to() -> None:
    card = conversations.card(PROVIDER, BUDGET)
    plain = replace(card, capabilities=card.capabilities - {Capability.REASONING})
    fields, dropped = sent({"thinking": {"type": "enabled", "budget_tokens": 2048}}, card=plain)
    assert ("thinking" in fields, dropped) == (False, ("thinking",))


@pytest.mark.parametrize(
    ("budget", "limit", "expected"),
    [
        (2_048, 2_049, {"type": "enabled", "budget_tokens": 2_048}),
        (2_048, 2_048, {"type": "enabled", "budget_tokens": 2_047}),
        (2_048, 1_000, None),
        (20_000, None, {"type": "enabled", "budget_tokens": 20_000}),
    ],
    ids=["room enough", "no room", "no room to think", "more than the length, as interleaved thinking may have"],
)
def test_a_budget_leaves_room_for_the_answer(budget: int, limit: int | None, expected: dict[str, Any] | None) -> None:
    thinking = {"type": "enabled", "budget_tokens": budget}
    assert sent({"thinking": thinking}, BUDGET, limit=limit)[0].get("thinking") == expected


def test_a_budget_is_left_out_where_the_last_turn_shows_no_thought() -> None:
    loop = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [agents.call()]},
        {"role": "user", "content": [agents.result("ok")]},
    ]
    fields, dropped = sent({"messages": loop, "thinking": {"type": "enabled", "budget_tokens": 2048}}, BUDGET)
    assert ("thinking" in fields, dropped) == (False, ("thinking",))


@pytest.mark.parametrize(
    ("model", "thinking", "arrives"),
    [(BOTH, {"type": "adaptive"}, True), (BUDGET, {"type": "enabled", "budget_tokens": 2048}, False)],
)
def test_a_forced_call_excludes_a_budget_but_not_adaptive_thinking(
    model: str, thinking: dict[str, Any], arrives: bool
) -> None:
    choice = {"tools": [agents.WRITE], "tool_choice": {"type": "any"}, "thinking": thinking}
    fields, _ = sent(choice, model)
    assert (fields.get("thinking") == thinking) == arrives
    assert fields["tool_choice"] == {"type": "any"}


def test_a_model_that_cannot_be_forced_says_so() -> None:
    with pytest.raises(InvalidRequest, match="cannot be forced"):
        sent({"tools": [agents.WRITE], "tool_choice": {"type": "any"}}, ALWAYS)


def test_thinking_between_calls_is_asked_for_where_we_chose_how_to_think() -> None:
    body = {**PLAIN, "tools": [agents.WRITE], "thinking": {"type": "adaptive"}}
    assert wire(body, BUDGET, headers={"anthropic-beta": "x"}).headers["anthropic-beta"] == (
        "x,interleaved-thinking-2025-05-14"
    )
    assert "anthropic-beta" not in wire(body, ADAPTIVE).headers
    own = {**body, "thinking": {"type": "enabled", "budget_tokens": 2048}}
    assert "anthropic-beta" not in wire(own, BUDGET).headers


@pytest.mark.parametrize(
    ("model", "config", "expected", "named"),
    [
        (ADAPTIVE, {"effort": "xhigh"}, {"effort": "xhigh"}, False),
        (BOTH, {"effort": "xhigh", "format": FORMAT}, {"effort": "high", "format": FORMAT}, True),
        ("claude-opus-4-5", {"effort": "max"}, {"effort": "high"}, True),
        (BUDGET, {"effort": "high"}, None, True),
        (BUDGET, {"effort": "high", "format": FORMAT}, {"format": FORMAT}, True),
        (ADAPTIVE, {"effort": "unheard-of"}, {"effort": "unheard-of"}, False),
    ],
)
def test_an_effort_becomes_the_nearest_the_model_knows(
    model: str, config: dict[str, Any], expected: dict[str, Any] | None, named: bool
) -> None:
    fields, dropped = sent({"output_config": config}, model)
    assert fields.get("output_config") == expected
    assert ("output_config.effort" in dropped) == named


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [("claude-opus-5", "max", "high"), ("claude-opus-5", "low", "low"), (ADAPTIVE, "max", "max")],
)
def test_a_model_at_rest_takes_no_greatest_effort(model: str, effort: str, expected: str) -> None:
    fields, dropped = sent({"thinking": {"type": "disabled"}, "output_config": {"effort": effort}}, model)
    assert fields["output_config"] == {"effort": expected}
    assert ("output_config.effort" in dropped) == (effort != expected)


@pytest.mark.parametrize(
    ("model", "fields", "left"),
    [
        (ADAPTIVE, {"temperature": 0.2, "top_p": 0.5, "top_k": 3}, {}),
        (BUDGET, {"temperature": 0.2, "top_k": 3}, {"temperature": 0.2, "top_k": 3}),
        (BUDGET, {"temperature": 0.2, "top_p": 0.5}, {"temperature": 0.2}),
        (BUDGET, {"top_p": 0.5}, {"top_p": 0.5}),
        (
            BUDGET,
            {"temperature": 1, "top_p": 0.97, "top_k": 3, "thinking": {"type": "enabled", "budget_tokens": 1024}},
            {"temperature": 1, "top_p": 0.97},
        ),
        (BOTH, {"temperature": 0.2, "top_p": 0.5, "thinking": {"type": "adaptive"}}, {}),
    ],
)
def test_sampling_the_model_refuses_is_left_out_by_name(
    model: str, fields: dict[str, Any], left: dict[str, Any]
) -> None:
    arrived, dropped = sent(fields, model)
    given = {name: value for name, value in fields.items() if name != "thinking"}
    assert {name: arrived[name] for name in given if name in arrived} == left
    assert set(dropped) == set(given) - set(left)


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [{"type": "advisor_20260301", "name": "advisor", "model": "x"}]},
        {"context_management": {"edits": [{"type": "compact_20260112"}]}},
        {"speed": "fast"},
        {"inference_geo": "us"},
        {"fallbacks": "default"},
        {"fallback_credit_token": "t"},
        {"compaction": {"type": "summarize"}},
        {"thread": {"type": "create"}},
        {"billing_policy": {"bill_to": "user_profile"}},
        {
            "messages": [
                *PLAIN["messages"],
                {
                    "role": "system",
                    "content": [
                        {
                            "type": "tool_addition",
                            "tool": {"definition": {"type": "advisor_20260301", "name": "advisor"}},
                        }
                    ],
                },
            ]
        },
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_has_another_price_than_we_know_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        sent(fields)


@pytest.mark.parametrize("fields", [{"speed": "standard"}, {"inference_geo": "global"}, {"fallbacks": None}])
def test_what_leaves_the_price_alone_passes(fields: dict[str, Any]) -> None:
    assert sent(fields)[0] == {"messages": PLAIN["messages"], **fields}


def test_a_body_read_elsewhere_is_written_anew() -> None:
    request = replace(read(PLAIN), source=None)
    body = conversations.body(PROVIDER, BUDGET, request)
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]


FOREIGN = [
    {"type": "thinking", "thinking": "theirs", "signature": "mk1.google.s"},
    agents.call("functions.Write:0"),
    agents.text("So", citations=[{"type": "web_search_result_location", "encrypted_index": "mk1.openai."}]),
]
MIXED = agents.claude_code({"role": "assistant", "content": FOREIGN}, {"role": "system", "content": "Be brief."})


@given(body=bent(MIXED | {"temperature": 1}), card=st.sampled_from(PROVIDER.cards), stream=st.booleans())
def test_whatever_is_read_is_sent_on_or_refused_in_one_sentence(body: Any, card: ModelCard, stream: bool) -> None:
    sentence = "."
    try:
        request = MessagesFront().read(json.dumps(body).encode(), Envelope(headers={}, query={})).request
        sent_on = json.loads(PROVIDER.dialect.encode(request, card=card, key="k", stream=stream).body)
        assert "mk1." not in json.dumps(sent_on)
    except InvalidRequest as refused:
        sentence = refused.message
    assert sentence.endswith(".")
