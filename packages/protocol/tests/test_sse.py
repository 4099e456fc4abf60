"""The parser of server-sent events."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monkey_coder_protocol.sse import SseEvent, SseParser, SseTooLong


def parse(*pieces: bytes, limit: int = 10_000) -> list[SseEvent]:
    parser = SseParser(max_event_bytes=limit)
    found = [event for piece in pieces for event in parser.feed(piece)]
    return found + parser.finish()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"data: hello\n\n", [SseEvent("", "hello")]),
        (b"data:hello\n\n", [SseEvent("", "hello")]),
        (b"data:  two blanks\n\n", [SseEvent("", " two blanks")]),
        (b"data: a\ndata: b\n\n", [SseEvent("", "a\nb")]),
        (b"data\n\n", [SseEvent("", "")]),
        (b"data:\n\n", [SseEvent("", "")]),
        (b"event: ping\ndata: x\n\n", [SseEvent("ping", "x")]),
        (b"event: ping\n\n", []),
        (b"event: ping\n\ndata: x\n\n", [SseEvent("", "x")]),
        (b": comment\n\n", []),
        (b": comment\ndata: x\n: another\n\n", [SseEvent("", "x")]),
        (b"retry: 10\nunknown: y\nno colon\ndata: x\n\n", [SseEvent("", "x")]),
        (b"id: 7\ndata: x\n\ndata: y\n\n", [SseEvent("", "x", "7"), SseEvent("", "y", "7")]),
        (b"id: 7\0\ndata: x\n\n", [SseEvent("", "x")]),
        (b"id: 7\ndata: x\n\nid\ndata: y\n\n", [SseEvent("", "x", "7"), SseEvent("", "y", "")]),
        (b"\xef\xbb\xbfdata: x\n\n", [SseEvent("", "x")]),
        (b"\n\n\xef\xbb\xbfdata: x\n\n", []),
        (b"data: x\r\n\r\n", [SseEvent("", "x")]),
        (b"data: x\r\r", [SseEvent("", "x")]),
        (b"data: x\r\n\ndata: y\n\r\n", [SseEvent("", "x"), SseEvent("", "y")]),
        (b"data: x", [SseEvent("", "x")]),
        (b"data: x\n", [SseEvent("", "x")]),
        (b"data: \xff\n\n", [SseEvent("", "\ufffd")]),
        ("data: é\u2028ß\x85\n\n".encode(), [SseEvent("", "é\u2028ß\x85")]),
        (b"", []),
    ],
)
def test_each_rule_of_the_standard(text: bytes, expected: list[SseEvent]) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize("before", [b"", b": opening\n\n"])
@pytest.mark.parametrize(
    "piece",
    [
        b"data: a\n\n",
        b"event: e\ndata: a\n\ndata: b\n\n",
        b"event: e\n\ndata: b\n\n",
        b": comment\n\nid: 7\ndata: a\n\ndata: b\n\n",
        b"data: a\ndata: b\n\n\n\ndata: c\n\n",
        b"data:a\n\ndata\n\n",
    ],
)
def test_a_piece_of_whole_events_reads_like_any_other(before: bytes, piece: bytes) -> None:
    assert parse(before, piece) == parse(before + piece) == parse(before, *(bytes([byte]) for byte in piece))


def test_an_event_too_long_is_refused_in_a_piece_of_whole_events_too() -> None:
    with pytest.raises(SseTooLong):
        parse(b": opening\n\n", b"data: " + b"x" * 50 + b"\n\n", limit=40)


LINES = st.sampled_from(
    [
        b"data: a",
        b"data:",
        b"data",
        b"data: \xf0\x9f\x90\x92 caf\xc3\xa9",
        b'data: {"type": "delta"}',
        b"event: x",
        b"id: 1",
        b"id",
        b": comment",
        b"\xef\xbb\xbfdata: bom",
        b"\xef\xbb\xbf",
        b"other: y",
        b"",
    ]
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
STREAMS = st.lists(st.tuples(LINES, ENDS), max_size=20).map(lambda pairs: b"".join(a + b for a, b in pairs))


@given(text=st.one_of(STREAMS, st.binary(max_size=60)), data=st.data())
def test_any_split_gives_the_same_events(text: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert parse(*pieces) == parse(text)


@given(text=STREAMS)
def test_byte_by_byte_gives_the_same_events(text: bytes) -> None:
    assert parse(*[text[index : index + 1] for index in range(len(text))]) == parse(text)


@given(text=STREAMS)
def test_the_parser_agrees_with_a_line_by_line_reading_of_the_standard(text: bytes) -> None:
    assert parse(text + b"\n\n") == reference(text + b"\n\n")


def reference(text: bytes) -> list[SseEvent]:
    """WHATWG HTML 9.2.6, written as the standard says it, for whole input only."""
    body = text.decode("utf-8", "replace").removeprefix("\ufeff")
    found, data, name, last_id = [], [], "", None
    for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]:
        if not line:
            if data:
                found.append(SseEvent(name, "\n".join(data), last_id))
            data, name = [], ""
        elif not line.startswith(":"):
            key, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if key == "data":
                data.append(value)
            elif key == "event":
                name = value
            elif key == "id" and "\0" not in value:
                last_id = value
    return found


@pytest.mark.parametrize(
    "pieces",
    [
        [b"data: " + b"x" * 200],
        [b"data: " + b"x" * 200 + b"\n\n"],
        [b"data: " + b"x" * 60 + b"\n"] * 3,
        [b"x" * 60] * 3,
        [b"data: 1\n\n" + b"y" * 200],
        [b": " + b"x" * 200 + b"\n\n"],
        [b"event: " + b"x" * 200 + b"\n\n"],
    ],
)
def test_an_event_beyond_the_bound_is_refused(pieces: list[bytes]) -> None:
    with pytest.raises(SseTooLong, match="longer than 100 bytes"):
        parse(*pieces, limit=100)


@pytest.mark.parametrize("line", [b": nothing\n", b"unknown: field\n\n", b"event: x\n"])
def test_what_is_passed_over_before_an_event_is_bounded_too(line: bytes) -> None:
    parser = SseParser(max_event_bytes=100)
    for _ in range(3):
        parser.feed(line * 5)
        parser.feed(b"data: x\n\n")
    with pytest.raises(SseTooLong):
        parser.feed(line * 100)


def test_the_bound_is_of_one_event_not_of_the_stream() -> None:
    assert len(parse(b"data: " + b"x" * 80 + b"\n\n" + b"data: " + b"y" * 80 + b"\n\n", limit=100)) == 2


@example(size=145, cuts=[151])
@example(size=144, cuts=[150])
@given(size=st.integers(120, 160), cuts=st.lists(st.integers(0, 120), max_size=6).map(sorted))
def test_whether_an_event_is_too_long_does_not_hang_on_the_split(size: int, cuts: list[int]) -> None:
    text = b"data: " + b"x" * size + b"\n\n"
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert refused(pieces) == refused([text])


def refused(pieces: list[bytes]) -> bool:
    try:
        parse(*pieces, limit=150)
    except SseTooLong:
        return True
    return False
