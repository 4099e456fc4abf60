"""The completions that came before chat are asked of today's models, and answered in their own shape."""

import json
from typing import Any

import pytest

from monkey_coder_server.dialects.openai_chat import CompletionsFront
from monkey_coder_server.domain.conversation import Message, Role, Sampling, Text
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.stream_events import (
    Event,
    FinishReason,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallOpened,
)
from monkey_coder_server.ports.front import Inbound
from packages.server.tests.dialects.openai_chat.answering import PROBLEM, TOLD, bill, chunks, client
from packages.server.tests.dialects.openai_chat.asking import NOBODY

FRONT = CompletionsFront()
EVENTS: list[Event] = [ThinkingDelta("hm"), TextDelta("upon "), TextDelta("a time"), RefusalDelta("!")]


def read(**fields: Any) -> Inbound:
    return FRONT.read(json.dumps({"prompt": "Once", **fields}).encode(), NOBODY)


def streamed(inbound: Inbound, finish: FinishReason = FinishReason.STOP) -> bytes:
    writer = FRONT.writer(inbound, TOLD, relayed=False)
    return b"".join([writer.begin(), *(writer.write([event]) for event in EVENTS), writer.end(bill(finish))])


def test_the_prompt_is_what_a_user_says() -> None:
    inbound = read(model="auto", max_tokens=9, stop="\n", temperature=0.5, user="u1", logprobs=5, best_of=1, n=1)
    request = inbound.request
    assert request.messages == (Message(Role.USER, (Text("Once"),)),)
    assert request.sampling == Sampling(9, 0.5, stop=("\n",))
    assert (request.user, request.source, inbound.model, inbound.lost) == ("u1", None, "auto", ("logprobs",))
    assert read(prompt=["Once"]).request.messages == request.messages
    assert (read(stream=True).stream, read().stream) == (True, False)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": [[1, 2]]}, "prompt"),
        ({"prompt": 7}, "prompt"),
        ({"suffix": "the end"}, "suffix"),
        ({"n": 2}, "n"),
        ({"best_of": 3}, "best_of"),
        ({"echo": "yes"}, "echo"),
        ({"max_tokens": 0}, "max_tokens"),
    ],
)
def test_what_cannot_be_done_is_refused(fields: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(**fields)
    assert refused.value.facts["param"] == place


def test_a_whole_answer_as_the_official_sdk_reads_it() -> None:
    body = FRONT.write(read(), TOLD, EVENTS, bill())
    answer = client(200, body, {"content-type": "application/json"}).completions.create(model="m", prompt="Once")
    assert (answer.id, answer.object, answer.model) == ("cmpl-7", "text_completion", "gemini-x")
    (choice,) = answer.choices
    assert (choice.text, choice.finish_reason, choice.index, choice.logprobs) == (
        "upon a time!",
        "content_filter",
        0,
        None,
    )
    usage = answer.usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.to_dict()["cost"]) == (127, 0.001234)


@pytest.mark.parametrize("echo", [False, True])
def test_a_stream_says_the_same_with_the_prompt_before_it_where_wanted(echo: bool) -> None:
    inbound = read(echo=echo, stream=True, stream_options={"include_usage": True})
    written = chunks(streamed(inbound, FinishReason.LENGTH))
    text = "".join(each["choices"][0]["text"] for each in written[:-1])
    whole = json.loads(FRONT.write(inbound, TOLD, EVENTS, bill(FinishReason.LENGTH)))
    assert text == whole["choices"][0]["text"] == ("Once" if echo else "") + "upon a time!"
    assert written[-2]["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"] == "length"
    assert (written[-1]["choices"], written[-1]["usage"]) == ([], whole["usage"])
    assert {each["object"] for each in written} == {"text_completion"}


def test_usage_is_told_only_to_who_asked() -> None:
    assert all(each["choices"] for each in chunks(streamed(read(stream=True))))


def test_the_official_sdk_reads_the_stream() -> None:
    answering = client(200, streamed(read(stream=True)), {"content-type": "text/event-stream"})
    read_back = list(answering.completions.create(model="m", prompt="Once", stream=True))
    assert "".join(each.choices[0].text for each in read_back) == "upon a time!"


def test_calls_have_no_word_here() -> None:
    answer = json.loads(FRONT.write(read(), TOLD, [ToolCallOpened(0, "c", "f")], bill()))
    assert answer["choices"][0]["text"] == ""


def test_errors_are_those_of_the_family() -> None:
    assert json.loads(FRONT.refuse(PROBLEM).body)["error"]["code"] == "provider_error"
    failed = FRONT.writer(read(stream=True), TOLD, relayed=False).fail(PROBLEM)
    assert json.loads(failed.removeprefix(b"data: "))["error"]["message"] == "It broke."
    assert (FRONT.keep_alive, FRONT.content_type(read())) == (
        b": keep-alive\n\n",
        b"text/event-stream; charset=utf-8",
    )


def test_nothing_is_ever_relayed() -> None:
    with pytest.raises(NotImplementedError):
        FRONT.relay(read(), b"{}", bill())
    with pytest.raises(NotImplementedError):
        FRONT.writer(read(), TOLD, relayed=True)
