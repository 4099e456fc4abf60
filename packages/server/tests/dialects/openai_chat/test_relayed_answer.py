"""A chat provider's own answer is passed on byte for byte; the cost is added, the end is always complete."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.stream_events import Event, FinishReason, Frame, TextDelta
from monkey_coder_server.providers.openai import PROVIDER as OPENAI
from packages.server.tests.dialects.openai_chat.answering import (
    PROBLEM,
    TOLD,
    WITH_USAGE,
    WITHOUT,
    bill,
    chunks,
    read_stream,
    read_whole,
    relayed,
)
from packages.server.tests.dialects.openai_chat.asking import FRONT

HEAD = {"id": "c1", "object": "chat.completion.chunk", "created": 7, "model": "gpt-x"}
USAGE = {"prompt_tokens": 3, "completion_tokens": 7, "total_tokens": 10, "new": {"a": 1.50}}
COST = '"cost":0.001234'


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "new": [1, 2]}
    return json.dumps({**HEAD, "choices": [choice], **more})


ROLE = chunk({"role": "assistant", "content": ""})
STOP = chunk({}, "stop")
REPORT = json.dumps({**HEAD, "choices": [], "usage": USAGE}, separators=(",", ":"))
DONE = "[DONE]"


def said(*words: str) -> list[str]:
    return [chunk({"content": word}) for word in words]


def stream(*data: str, end: str = "\n\n") -> bytes:
    return "".join(f"data: {each}{end}" for each in data).encode()


def events(*pieces: bytes) -> list[Event]:
    decoder = OPENAI.dialect.decoder(relay=True)
    return [*(event for piece in pieces for event in decoder.feed(piece)), *decoder.finish()]


def passed_on(*data: str, finish: FinishReason = FinishReason.STOP, inbound: Any = WITH_USAGE) -> bytes:
    return relayed(events(stream(*data)), bill(finish), inbound)


def test_what_was_answered_is_passed_on_and_the_cost_is_added() -> None:
    data = [ROLE, *said("h", "i"), STOP, REPORT, DONE]
    assert passed_on(*data) == stream(*data).replace(b'"new":{"a":1.5}}', b'"new":{"a":1.5},' + COST.encode() + b"}")


def test_the_report_is_hidden_from_who_did_not_ask() -> None:
    data = [ROLE, *said("h", "i"), STOP]
    assert passed_on(*data, REPORT, DONE, inbound=WITHOUT) == stream(*data, DONE)


def test_the_end_waits_for_the_bill() -> None:
    writer = FRONT.writer(WITH_USAGE, TOLD, relayed=True)
    frames = [event for event in events(stream(ROLE, *said("h"), STOP, REPORT, DONE)) if isinstance(event, Frame)]
    assert writer.begin() + writer.write(frames) == stream(ROLE, *said("h"))
    assert writer.write([TextDelta("what a frame says is told by the frame")]) == b""
    assert writer.end(bill()).endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    "last",
    [
        chunk({}, "stop", usage=USAGE),  # xAI, Perplexity
        chunk({}, "stop", usage={**USAGE, "cost": {"total_cost": 0.5}}),
    ],
)
def test_a_report_beside_the_last_piece_has_the_cost_too(last: str) -> None:
    for inbound in (WITH_USAGE, WITHOUT):
        (_, _, end) = chunks(passed_on(ROLE, *said("h"), last, inbound=inbound))
        assert end["usage"] == {**USAGE, "cost": 0.001234}


@pytest.mark.parametrize(
    "last",
    [
        json.dumps(
            {**HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]}
        ),  # Moonshot
        chunk({}, "stop", x_groq={"usage": USAGE}),
        STOP,
    ],
)
def test_a_report_where_no_sdk_looks_is_given_in_its_place(last: str) -> None:
    written = chunks(passed_on(ROLE, *said("h"), last, DONE))
    assert written[-2] == json.loads(last)
    assert written[-1] == {**HEAD, "choices": [], "usage": written[-1]["usage"]}
    assert (written[-1]["usage"]["prompt_tokens"], written[-1]["usage"]["cost"]) == (127, 0.001234)
    assert len(chunks(passed_on(ROLE, *said("h"), last, DONE, inbound=WITHOUT))) == 3


@pytest.mark.parametrize("seen", [0, 1, 2, 3])
def test_a_stream_that_was_cut_ends_for_its_length_with_everything(seen: int) -> None:
    data = [ROLE, *said("h", "i")][:seen]
    written = chunks(passed_on(*data, finish=FinishReason.LENGTH))
    assert [json.dumps(each) for each in written[:seen]] == data
    finish, report = written[seen:]
    assert finish["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "length"}]
    assert report["usage"]["cost"] == 0.001234
    told = ("chatcmpl-7", 1_764_000_000, "gemini-x")
    assert {(each["id"], each["created"], each["model"]) for each in (finish, report)} == {
        ("c1", 7, "gpt-x") if seen else told
    }


def test_an_end_without_a_reason_is_given_one_before_its_report() -> None:
    written = chunks(passed_on(ROLE, *said("h"), REPORT, DONE, finish=FinishReason.TOOL_CALLS))
    assert [each["choices"][0]["finish_reason"] if each["choices"] else None for each in written] == [
        None,
        None,
        "tool_calls",
        None,
    ]


@pytest.mark.parametrize("odd", ["7", '"x"', '{"id":7}', '{"choices":{}}', chunk({}, "stop")[:-1] + ',"usage":7}'])
def test_frames_nobody_expected_are_passed_on(odd: str) -> None:
    frames = [Frame("", ROLE), Frame("", odd), Frame("", STOP), Frame("", odd), Frame("", DONE)]
    written = relayed(frames, bill(), WITHOUT)
    assert written == stream(ROLE, odd, STOP, odd, DONE)
    assert relayed([Frame("", odd)], bill(), WITHOUT).startswith(stream(odd))


def test_named_events_and_lines_of_data_keep_their_form() -> None:
    frames = [Frame("message", ROLE), Frame("", '{"a":\n1}'), Frame("x", "a\nb"), Frame("end", STOP)]
    assert (
        relayed(frames, bill(), WITHOUT)
        == (
            f'event: message\ndata: {ROLE}\n\ndata: {{"a":\ndata: 1}}\n\nevent: x\ndata: a\ndata: b\n\n'
            f"event: end\ndata: {STOP}\n\ndata: [DONE]\n\n"
        ).encode()
    )


def test_words_that_look_like_an_end_are_no_end() -> None:
    words = ['"finish_reason":"stop"', '"choices":[],"usage":{', "[DONE]", "\\", '"']
    data = [ROLE, *said(*words), STOP, DONE]
    writer = FRONT.writer(WITHOUT, TOLD, relayed=True)
    frames = [event for event in events(stream(*data)) if isinstance(event, Frame)]
    assert writer.write(frames) == stream(*data[:-2])


def test_an_error_in_mid_stream() -> None:
    writer = FRONT.writer(WITH_USAGE, TOLD, relayed=True)
    writer.write([Frame("", ROLE)])
    ((error,),) = [list(json.loads(writer.fail(PROBLEM).removeprefix(b"data: ")).items())]
    assert error == ("error", {"message": "It broke.", "type": "server_error", "param": None, "code": "provider_error"})


def test_a_whole_answer_keeps_its_bytes_but_for_the_cost() -> None:
    body = b'{ "id":"c1" , "choices":[ {"index":0} ], "usage" : {"prompt_tokens":3, "x":1.50} ,"n":1.0 }\n'
    assert FRONT.relay(WITH_USAGE, body, bill()) == body.replace(b"1.50}", b'1.50,"cost":0.001234}')


def test_the_cost_stands_where_the_sdk_looks_also_where_the_same_report_stands_twice() -> None:
    usage = b'{"prompt_tokens":3, "x":1.50}'
    body = b'{ "id":"c1" , "choices":[ {"index":0} ],"usage":%b,"x_groq":{"usage":%b},"n":1.0 }' % (usage, usage)
    assert FRONT.relay(WITH_USAGE, body, bill()) == (
        b'{"id":"c1","choices":[ {"index":0} ],"usage":{"prompt_tokens":3, "x":1.50,"cost":0.001234},'
        b'"x_groq":{"usage":{"prompt_tokens":3, "x":1.50}},"n":1.0}'
    )


@pytest.mark.parametrize("body", [b'{"choices":[]}', b'{"choices":[],"usage":null}', b'{"choices":[],"usage":7}'])
def test_a_whole_answer_always_has_its_usage(body: bytes) -> None:
    answer = json.loads(FRONT.relay(WITH_USAGE, body, bill()))
    assert (answer["usage"]["prompt_tokens"], answer["usage"]["cost"]) == (127, 0.001234)


@pytest.mark.parametrize("name", [b"cost", b"c\\u006fst"])
def test_an_own_cost_of_the_provider_is_not_the_callers(name: bytes) -> None:
    usage = b'{"%b":{"total_cost":9},"prompt_tokens":3}' % name
    relayed_on = FRONT.relay(WITH_USAGE, b'{"choices":[],"usage":%b}' % usage, bill())
    assert json.loads(relayed_on, object_pairs_hook=list)[1] == ("usage", [("cost", 0.001234), ("prompt_tokens", 3)])


@pytest.mark.parametrize("usage", [b"{}", b"{ }"])
def test_usage_that_says_nothing_has_the_cost(usage: bytes) -> None:
    answer = FRONT.relay(WITH_USAGE, b'{"choices":[],"usage":%b}' % usage, bill())
    assert json.loads(answer)["usage"] == {"cost": 0.001234}


texts = st.lists(st.text(max_size=9) | st.sampled_from(['"usage":{', "\\", "\u2028", '"finish_reason":"']), max_size=9)


@st.composite
def _streams(draw: st.DrawFn) -> tuple[bytes, str]:
    """A stream as some provider writes it, and its line ends."""
    compact = draw(st.booleans())
    end = draw(st.sampled_from(["\n\n", "\r\n\r\n", "\r\r"]))
    data = [ROLE, *(chunk({"content": word}) for word in draw(texts))]
    data += draw(st.sampled_from([[], [chunk({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]})]]))
    data += draw(st.sampled_from([[STOP], [STOP, REPORT], [chunk({}, "length", usage=USAGE)], [REPORT, STOP]]))
    if compact:
        data = [json.dumps(json.loads(each), separators=(",", ":"), ensure_ascii=False) for each in data]
    return stream(*data, *draw(st.sampled_from([[], [DONE]])), end=end), end


def pieces(body: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    return [body[start:stop] for start, stop in pairwise(places)]


@given(_streams(), st.lists(st.integers(0, 10_000), max_size=30), st.sampled_from([WITH_USAGE, WITHOUT]))
def test_however_a_stream_is_cut_the_same_bytes_leave(made: tuple[bytes, str], cuts: list[int], inbound: Any) -> None:
    body, _ = made
    whole = relayed(events(body), bill(), inbound)
    assert relayed(events(*pieces(body, cuts)), bill(), inbound) == whole
    one_by_one = [body[at : at + 1] for at in range(len(body))]
    assert relayed(events(*one_by_one), bill(), inbound) == whole


@settings(deadline=None, max_examples=60)
@given(_streams())
def test_nothing_but_the_report_changes_and_the_official_sdk_reads_it(made: tuple[bytes, str]) -> None:
    body, end = made
    given_out = [each.removeprefix("data: ") for each in body.decode().removesuffix(end).split(end)]
    passed = relayed(events(body), bill()).decode().removesuffix("\n\n").split("\n\n")
    untouched = [each for each in given_out if '"usage"' not in each or '"content"' in each]
    assert [each for each in untouched if f"data: {each}" not in passed] == []
    answer = read_stream(relayed(events(body), bill()))
    assert answer["usage"]["cost"] == 0.001234
    assert answer["choices"][0]["finish_reason"] in {"stop", "length"}


def test_the_official_sdk_reads_a_whole_one() -> None:
    message = {"role": "assistant", "content": "hi"}
    body = {**HEAD, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE}
    answer = read_whole(FRONT.relay(WITH_USAGE, json.dumps(body).encode(), bill()))
    assert (answer["choices"][0]["message"]["content"], answer["usage"]["cost"]) == ("hi", 0.001234)
