"""Proofs of thought on their way through Gemini's clients and back."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.gemini.signatures import is_sealed, read_signature, seal_thoughts
from monkey_coder_server.domain.conversation import Part, Text, Thinking, ToolCall
from monkey_coder_server.domain.stream_events import (
    Event,
    FinishReason,
    TextDelta,
    ThinkingClosed,
    ThinkingDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallOpened,
)
from packages.server.tests.dialects.gemini.reading import bill, conversation, joined, records, streamed, turn, whole

words = st.text(st.characters(codec="utf-8"), max_size=20)
proofs = st.none() | words.filter(bool)
thoughts = st.builds(Thinking, words, proofs, proofs, st.sampled_from(["anthropic", "openai", "moonshot"]))


@given(kept=st.lists(thoughts, min_size=1, max_size=3), provider=st.sampled_from(["anthropic", "xai"]))
def test_sealed_thoughts_come_back_in_any_spelling_of_base64(kept: list[Thinking], provider: str) -> None:
    sealed = seal_thoughts(kept, provider)
    assert is_sealed(sealed)
    for given_back in (sealed, sealed.rstrip("="), base64.urlsafe_b64encode(base64.b64decode(sealed)).decode()):
        own, opened = read_signature(given_back)
        assert own is None
        assert [(each.text, each.signature, each.redacted) for each in opened] == [
            (each.text, each.signature, each.redacted) for each in kept
        ]
        assert {each.origin for each in opened} == {provider}


@given(garbage=st.text(max_size=30) | st.binary(max_size=30).map(lambda raw: base64.b64encode(b"mk1." + raw).decode()))
def test_a_forged_seal_opens_to_nothing_or_to_thoughts(garbage: str) -> None:
    own, opened = read_signature(garbage)
    assert own is None or not opened


def loop(provider: str, events: list[Event], *, visible: bool) -> list[tuple[Part, ...]]:
    """What comes back of an answer whose caller keeps all it got, streamed or whole, or drops thoughts as agents do."""
    ended = bill(FinishReason.TOOL_CALLS)
    answers: list[list[dict[str, Any]]] = [
        whole(events, ended, thoughts=visible, provider=provider)["candidates"][0]["content"]["parts"],
        [
            part
            for record in records(streamed([[event] for event in events], ended, thoughts=visible, provider=provider))
            for part in record["candidates"][0]["content"]["parts"]
        ],
    ]
    without = [[part for part in parts if not part.get("thought")] for parts in answers]
    return [conversation(turn("model", *parts)).messages[0].parts for parts in (*answers, *without)]


def called(arguments: str = "{}") -> list[Event]:
    return [ToolCallOpened(0, "toolu_1", "now"), ToolCallDelta(0, arguments), ToolCallClosed(0)]


@pytest.mark.parametrize("visible", [True, False])
def test_thoughts_before_a_call_come_back_to_their_provider_even_from_clients_that_drop_thoughts(visible: bool) -> None:
    events: list[Event] = [
        ThinkingDelta("I "),
        ThinkingDelta("think."),
        ThinkingClosed("sig"),
        ThinkingClosed(redacted="data"),
        TextDelta("I look."),
        *called(),
    ]
    for parts in loop("anthropic", events, visible=visible):
        assert parts == (
            Thinking("I think.", "sig", origin="anthropic"),
            Thinking("", redacted="data", origin="anthropic"),
            Text("I look."),
            ToolCall("toolu_1", "now", "{}"),
        )


@pytest.mark.parametrize("visible", [True, False])
def test_unsigned_thoughts_come_back_too_for_providers_that_must_get_them(visible: bool) -> None:
    events: list[Event] = [ThinkingDelta("Hm."), ThinkingClosed(), *called()]
    for parts in loop("moonshot", events, visible=visible):
        assert parts == (Thinking("Hm.", origin="moonshot"), ToolCall("toolu_1", "now", "{}"))


def test_each_call_carries_the_thoughts_since_the_one_before() -> None:
    second: list[Event] = [ToolCallOpened(1, "toolu_2", "now"), ToolCallClosed(1)]
    events: list[Event] = [
        *(ThinkingDelta("a"), ThinkingClosed("s1"), *called()),
        *(ThinkingDelta("b"), ThinkingClosed("s2"), *second),
    ]
    for parts in loop("anthropic", events, visible=False):
        assert parts == (
            Thinking("a", "s1", origin="anthropic"),
            ToolCall("toolu_1", "now", "{}"),
            Thinking("b", "s2", origin="anthropic"),
            ToolCall("toolu_2", "now", "{}"),
        )


def test_signed_thoughts_without_a_call_are_signed_for_callers_who_read_them() -> None:
    events: list[Event] = [ThinkingDelta("Hm."), ThinkingClosed("sig"), TextDelta("Hi")]
    for at, parts in enumerate(loop("anthropic", events, visible=True)):
        kept = (Thinking("Hm.", "sig", origin="anthropic"),) if at < 2 else ()
        assert parts == (*kept, Text("Hi"))
    assert joined([whole(events, bill(), thoughts=False)]) == [{"text": "Hi"}]


def test_googles_own_proof_goes_out_bare() -> None:
    events: list[Event] = [ToolCallOpened(0, "c1", "now", signature="own"), ToolCallClosed(0)]
    (part,) = joined([whole(events, bill(), provider="google")])
    assert part["thoughtSignature"] == "own"
