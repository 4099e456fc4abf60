"""Through the neutral conversation and back nothing is lost that both can say: requests, and answers."""

import json
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.openai_responses import OpenAIResponses, Quirks
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.stream_events import Answer, Event, FinishReason
from monkey_coder_server.ports.front import Bill, Envelope, Told
from monkey_coder_server.ports.provider import Provider
from monkey_coder_server.providers import anthropic, google, moonshot, openai
from packages.server.tests.dialects.conversations import PDF, json_values, spoken, words
from packages.server.tests.dialects.openai_responses.answers import BILL, FRONT, TOOLS, answers, inbound, streamed

CARD = ModelCard("openai", "m", "m", 200_000, 32_000, frozenset(Capability), 1)
SPOKEN = OpenAIResponses(
    Quirks(
        "openai",
        tools=MappingProxyType({"m": ("custom",)}),
        developer_role=True,
        documents=True,
        result_images=True,
        refusals=True,
    )
)
HOME = Told(request_id="req_0001", created=1, provider="openai", model="m")
texts = spoken.map(lambda text: {"type": "input_text", "text": text})
images = st.just({"type": "input_image", "image_url": "https://a.example/b.png"})
files = st.sampled_from(
    [
        {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
        {"type": "input_file", "file_id": "file-1"},
    ]
)
asked = st.builds(
    lambda role, content: {"role": role, "content": content},
    st.just("user"),
    spoken | st.lists(texts | images | files, min_size=2, max_size=3),
)
told = st.builds(lambda role, text: {"role": role, "content": text}, st.sampled_from(["system", "developer"]), spoken)
objects = st.dictionaries(words, json_values, max_size=2).map(json.dumps)


@st.composite
def turns(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What a model said, and what its calls returned."""
    number = draw(st.integers(0, 10**6))
    said: list[dict[str, Any]] = []
    if draw(st.booleans()):
        said.append({"type": "reasoning", "summary": [], "encrypted_content": "gAAA"})
    said.append({"role": "assistant", "content": [{"type": "output_text", "text": draw(spoken)}]})
    calls: list[dict[str, Any]] = []
    for each in range(draw(st.integers(0, 2))):
        place = {"call_id": f"call_{number}_{each}"}
        if draw(st.booleans()):
            calls.append({"type": "function_call", **place, "name": "get_weather", "arguments": draw(objects)})
        else:
            calls.append({"type": "custom_tool_call", **place, "name": "apply_patch", "input": draw(words)})
    return [*said, *calls, *({"type": f"{call['type']}_output", "call_id": call["call_id"], "output": draw(spoken)}
                             for call in calls)]  # fmt: skip


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    items: list[dict[str, Any]] = [draw(asked)]
    for _ in range(draw(st.integers(0, 3))):
        items += [*draw(turns()), *draw(st.lists(told, max_size=1)), draw(asked)]
    body: dict[str, Any] = {"model": "m", "input": items}
    optional = {
        "instructions": spoken,
        "tools": st.just(TOOLS[:2]),
        "max_output_tokens": st.integers(16, 99),
        "user": st.just("u-1"),
        "temperature": st.just(0.5),
        "text": st.just(
            {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": False}}
        ),
    }
    return body | draw(st.fixed_dictionaries({}, optional=optional))


def plain(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A content that is one text as the text alone; a call's arguments as what they say."""
    return [{**item, "content": _alone(item["content"])} if "content" in item else item for item in items]


def _alone(content: Any) -> Any:
    return content[0]["text"] if isinstance(content, list) and len(content) == 1 else content


@given(body=bodies())
def test_all_that_both_sides_can_say_comes_back(body: dict[str, Any]) -> None:
    request = replace(FRONT.read(json.dumps(body).encode(), Envelope(headers={}, query={})).request, source=None)
    again = json.loads(SPOKEN.encode(request, card=CARD, key="k", stream=False).body)
    assert plain(again.pop("input")) == plain(body.pop("input"))
    assert [tool["name"] for tool in again.pop("tools", [])] == [tool["name"] for tool in body.pop("tools", [])]
    ours = {"model", "store", "include"}
    assert {name: value for name, value in again.items() if name not in ours} == {
        name: value for name, value in body.items() if name not in ours
    }


def fold(events: Sequence[Event]) -> Answer:
    answer = Answer()
    for event in events:
        answer.apply(event)
    answer.text, answer.refusal = ["".join(answer.text)], ["".join(answer.refusal)]
    answer.response_id = answer.model = answer.native_finish = answer.usage = None
    answer._arguments, answer.citations, answer.server_items = [], [], []
    return answer


def spoken_of(answer: Answer) -> list[Any]:
    """Calls by name and what they say; thoughts by text."""
    calls = [(call.id, call.name, call.custom, call.arguments) for call in answer.calls]
    return [answer.text, answer.refusal, calls, "".join(thought.text for thought in answer.thinking)]


@given(events=answers, size=st.integers(1, 999))
def test_an_answer_written_and_read_again_says_the_same(events: list[Event], size: int) -> None:
    request = inbound(tools=[])
    ending = Bill(usage=BILL.usage, cost=0, receipt_id=None, finish=FinishReason.STOP)
    body = streamed(request, events, ending, told=HOME)
    decoder = SPOKEN.decoder()
    read = [event for at in range(0, len(body), size) for event in decoder.feed(body[at : at + size])]
    streamed_again = fold([*read, *decoder.finish()])
    whole_again = fold(SPOKEN.decode(FRONT.write(request, HOME, events, ending)))
    wanted = spoken_of(fold(events))
    for call in range(len(wanted[2])):
        name = wanted[2][call]
        wanted[2][call] = (*name[:3], name[3] or ("" if name[2] else "{}"))
    assert spoken_of(streamed_again) == spoken_of(whole_again) == wanted


@given(said=st.lists(st.tuples(spoken, spoken, spoken), min_size=1, max_size=3))
@pytest.mark.parametrize(
    "provider",
    [openai.PROVIDER, anthropic.PROVIDER, google.PROVIDER, moonshot.PROVIDER],
    ids=lambda provider: provider.name,
)
def test_translated_prompts_grow_by_their_end_alone(provider: Provider, said: list[tuple[str, str, str]]) -> None:
    items: list[dict[str, Any]] = [{"role": "developer", "content": "Be brief."}]
    earlier = b""
    for number, (question, answer, result) in enumerate(said):
        call = {"type": "function_call", "call_id": f"c{number}", "name": "get_weather", "arguments": '{"city":"Oslo"}'}
        items += [
            {"role": "user", "content": question},
            call,
            {"type": "function_call_output", "call_id": f"c{number}", "output": result},
        ]
        sent = _encoded(provider, items)
        assert sent.startswith(earlier)
        earlier = sent.removesuffix(b"]}")
        items.append({"role": "assistant", "content": answer})


def _encoded(provider: Provider, items: list[dict[str, Any]]) -> bytes:
    request = inbound(input=items, tools=TOOLS).request
    return provider.dialect.encode(request, card=provider.cards[0], key="k", stream=True).body
