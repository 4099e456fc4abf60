"""Bytes to answers: however they are cut, whatever else they hold, and when their connection is used again."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.adapters.upstream.failures import Broken, NotHttp
from packages.server.tests.adapters.upstream.told import LIMITS, Socket, Told, outcome

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
WHOLE = OK + b"content-length: 2\r\n\r\n{}"
SOUND = {
    "by length": (WHOLE, b"{}", True),
    "in chunks": (CHUNKED + b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n", b"onetwo", True),
    "in chunks with more": (CHUNKED + b"3;a=b\r\none\r\n0\r\nx-sum: 1\r\n\r\n", b"one", True),
    "no body": (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
    "empty": (b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n", b"", True),
    "after interim answers": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nlink: <a>\r\n\r\n" + WHOLE, b"{}", True),
    "and closes": (OK + b"connection: close\r\ncontent-length: 2\r\n\r\n{}", b"{}", False),
    "of HTTP/1.0": (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}", b"{}", False),
    "of HTTP/1.0, kept": (b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n{}", b"{}", True),
    "upgrade offered": (OK + b"upgrade: h2c\r\ncontent-length: 2\r\n\r\n{}", b"{}", True),
    "without words": (b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\n{}", b"{}", True),
}
HOSTILE = {
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "two lengths": OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    "the same length twice": OK + b"content-length: 2\r\ncontent-length: 2\r\n\r\n{}",
    "lengths in a list": OK + b"content-length: 2, 2\r\n\r\n{}",
    "a signed length": OK + b"content-length: +2\r\n\r\n{}",
    "a negative length": OK + b"content-length: -2\r\n\r\n{}",
    "an immense length": OK + b"content-length: 99999999999999999999\r\n\r\n{}",
    "length and chunks": OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": OK + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n0\r\n\r\n",
    "chunks twice": OK + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "packed chunks": OK + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks that are packed": OK + b"transfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "unknown coding": OK + b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunk of no size": CHUNKED + b"zz\r\nabc\r\n",
    "chunk of negative size": CHUNKED + b"-2\r\nabc\r\n",
    "chunk of hex sign": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "chunk of immense size": CHUNKED + b"fffffffffffffffffff\r\n",
    "chunk longer than said": CHUNKED + b"2\r\n{}x\r\n0\r\n\r\n",
    "chunk's line without end": CHUNKED + b"2;" + b"a" * 2_000,
    "chunk's line of half an end": CHUNKED + b"2\n{}\r\n0\r\n\r\n",
    "folded header": OK + b"x: a\r\n b\r\ncontent-length: 2\r\n\r\n{}",
    "space before the colon": OK + b"content-length : 2\r\n\r\n{}",
    "half a line's end": b"HTTP/1.1 200 OK\ncontent-length: 2\n\n{}",
    "a null in a header": OK + b"x: a\x00\r\n\r\n",
    "status line without end": b"HTTP/1.1 200 " + b"O" * 2_000,
    "long status line": b"HTTP/1.1 200 " + b"O" * 1_500 + b"\r\ncontent-length: 2\r\n\r\n{}",
    "header without end": OK + b"x: " + b"a" * 2_000,
    "long header": OK + b"x: " + b"a" * 1_500 + b"\r\ncontent-length: 2\r\n\r\n{}",
    "many headers": OK + b"x: 1\r\n" * 30 + b"content-length: 2\r\n\r\n{}",
    "many interim answers": b"HTTP/1.1 102 Processing\r\n\r\n" * 30 + WHOLE,
    "many trailers": CHUNKED + b"0\r\n" + b"x: 1\r\n" * 30 + b"\r\n",
    "trailer without end": CHUNKED + b"0\r\nx: " + b"a" * 2_000,
}
BEHIND = {
    "letters": b"x",
    "an answer": WHOLE,
    "half an answer": b"HTTP/1.1 2",
    "a null": b"\x00",
    "a chunk": b"0\r\n\r\n",
}


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


PLACES = st.lists(st.integers(0, 5_000), max_size=40)


@given(name=st.sampled_from(sorted(SOUND)), places=PLACES)
def test_an_answer_cut_anywhere_reads_the_same(name: str, places: list[int]) -> None:
    data, body, kept = SOUND[name]
    told, apart = Told(), Told()
    answers = told.ask(), apart.ask()
    told.say(data)
    apart.say(*cut(data, places))
    assert outcome(answers[1]) == (seen := outcome(answers[0]))
    assert seen[2:] == (body, True, None)
    assert (apart.reusable, told.reusable) == (kept, kept)


def test_what_trails_an_answer_is_no_header_of_the_next() -> None:
    told = Told()
    told.ask()
    told.say(CHUNKED + b"0\r\nx-sum: 1\r\n\r\n")
    answer = told.ask()
    told.say(WHOLE)
    assert outcome(answer) == (200, {"content-length": "2"}, b"{}", True, None)


def test_headers_are_read_as_they_were_sent_but_for_the_case_of_names() -> None:
    answer = (told := Told()).ask()
    told.say(OK + "X-A: É \t\r\nx-b:\r\nX-Sp: a: b\r\n".encode() + b"x-raw: \xff\r\ncontent-length: 2\r\n\r\n{}")
    assert answer.headers == {"x-a": "É", "x-b": "", "x-sp": "a: b", "x-raw": "\udcff", "content-length": "2"}


@given(places=PLACES)
def test_an_answer_without_length_ends_with_its_connection(places: list[int]) -> None:
    told = Told()
    answer = told.ask()
    told.say(*cut(OK + b"\r\n{}" + WHOLE, places))
    assert not answer.over
    told.hang_up()
    assert outcome(answer) == (200, {}, b"{}" + WHOLE, True, None)
    assert (told.freed, told.gone) == ([False], 1)


@given(name=st.sampled_from(sorted(HOSTILE)), places=PLACES)
def test_what_http_does_not_allow_breaks_the_answer_and_its_connection(name: str, places: list[int]) -> None:
    told = Told()
    answer = told.ask()
    told.say(*cut(HOSTILE[name], places))
    assert isinstance(answer.broken, NotHttp), str(answer.broken)
    assert answer.over
    assert (told.freed, told.socket.fate) == ([False], "aborted")


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("size", [1, 7, 5_000])
def test_each_kind_of_hostility_is_refused(name: str, size: int) -> None:
    data = HOSTILE[name]
    told = Told()
    answer = told.ask()
    told.say(*(data[start : start + size] for start in range(0, len(data), size)))
    assert isinstance(answer.broken, NotHttp), str(answer.broken)
    assert (told.freed, told.socket.fate) == ([False], "aborted")


@given(name=st.sampled_from(sorted(SOUND)), kind=st.sampled_from(sorted(BEHIND)), places=PLACES)
def test_what_comes_behind_an_answer_is_not_read_and_ends_the_connection(
    name: str, kind: str, places: list[int]
) -> None:
    data, body, _ = SOUND[name]
    told = Told()
    answer = told.ask()
    told.say(*cut(data + BEHIND[kind], places))
    assert outcome(answer)[2:] == (body, True, None)
    assert told.socket.fate
    assert len(told.freed) == 1


@given(
    name=st.sampled_from(sorted(SOUND)),
    place=st.integers(0, 1_000),
    error=st.sampled_from([None, ConnectionResetError("reset")]),
)
def test_an_answer_that_is_cut_off_is_broken(name: str, place: int, error: Exception | None) -> None:
    data = SOUND[name][0]
    told = Told()
    answer = told.ask()
    told.say(data[: place % len(data)])
    told.hang_up(error)
    assert type(answer.broken) is Broken
    assert (told.freed, told.gone) == ([False], 1)


def test_an_answer_without_length_that_is_reset_is_broken() -> None:
    told = Told()
    answer = told.ask()
    told.say(OK + b"\r\nabc")
    told.hang_up(ConnectionResetError("reset"))
    assert outcome(answer)[2:] == (b"abc", True, Broken)


def test_a_connection_carries_one_answer_after_the_other() -> None:
    told = Told()
    for _ in range(3):
        answer = told.ask()
        told.say(CHUNKED + b"2\r\n{}\r\n", b"0\r\n\r\n")
        assert outcome(answer) == (200, {"transfer-encoding": "chunked"}, b"{}", True, None)
    assert told.freed == [True] * 3


@pytest.mark.parametrize("data", [b"x", WHOLE, b"\r\n"])
def test_an_idle_connection_that_speaks_is_closed(data: bytes) -> None:
    told = Told()
    told.say(data)
    assert told.socket.fate == "aborted"
    assert not told.connection.usable


def test_a_request_answered_before_all_of_it_was_sent_gives_its_connection_up() -> None:
    told = Told()
    answer = told.ask()
    told.socket.unsent = 70_000
    told.say(WHOLE)
    assert outcome(answer)[2:] == (b"{}", True, None)
    assert (told.freed, told.socket.fate) == ([False], "aborted")


class SmallSocket(Socket):
    """Takes a piece, and no more before it is told."""

    def __init__(self, told: Told) -> None:
        super().__init__()
        self._told = told

    def write(self, data: bytes) -> None:
        super().write(data)
        self._told.connection.pause_writing()


def large() -> tuple[Told, bytes]:
    told = Told()
    told.socket = SmallSocket(told)
    told.connection.connection_made(told.socket)  # type: ignore[arg-type]  # as above
    return told, bytes(range(256)) * 8_192


def test_a_large_body_goes_as_fast_as_the_socket_takes_it() -> None:
    told, body = large()
    told.ask(body)
    assert len(told.socket.written) == 1
    while sum(map(len, told.socket.written[1:])) < len(body):
        told.connection.resume_writing()
    assert b"".join(told.socket.written[1:]) == body
    assert max(map(len, told.socket.written)) <= 65_536
    told.say(WHOLE)
    assert told.reusable


def test_a_large_body_goes_on_while_its_answer_comes_and_stops_with_it() -> None:
    told, body = large()
    answer = told.ask(body)
    told.say(CHUNKED)
    told.connection.resume_writing()
    assert len(told.socket.written) == 2
    told.say(b"0\r\n\r\n")
    told.connection.resume_writing()
    assert len(told.socket.written) == 2
    assert outcome(answer)[2:] == (b"", True, None)
    assert (told.freed, told.socket.fate) == ([False], "aborted")


def test_no_more_is_taken_from_the_socket_than_may_wait_for_its_reader() -> None:
    told = Told()
    answer = told.ask()
    piece = b"1f4\r\n" + b"x" * 500 + b"\r\n"
    told.say(CHUNKED, piece, piece)
    paused = [told.socket.paused]
    told.say(piece)
    paused.append(told.socket.paused)
    assert answer.take() == b"x" * 1_500
    assert [*paused, told.socket.paused] == [False, True, False]
    told.say(piece * 3 + b"0\r\n\r\n")
    assert (told.socket.paused, told.reusable, answer.unread) == (False, True, 1_500)


def test_an_answer_that_ends_while_nobody_reads_leaves_a_socket_that_is_read() -> None:
    told = Told()
    told.ask()
    told.say(CHUNKED, b"5dc\r\n" + b"x" * 1_500 + b"\r\n")
    assert told.socket.paused
    told.say(b"0\r\n\r\n")  # TLS had it already
    assert (told.socket.paused, told.reusable) == (False, True)


def test_an_answer_given_up_closes_its_connection_and_drops_what_has_come() -> None:
    told = Told()
    answer = told.ask()
    told.say(CHUNKED + b"2\r\n{}\r\n")
    answer.give_up()
    answer.give_up()
    assert outcome(answer)[2:] == (b"", True, Broken)
    assert (told.freed, told.socket.fate) == ([False], "aborted")


def test_a_closed_connection_answers_nothing() -> None:
    told = Told()
    told.hang_up()
    assert isinstance(told.ask().broken, Broken)


def test_as_many_lines_as_may_be_are_taken() -> None:
    told = Told()
    answer = told.ask()
    told.say(OK + b"".join(b"x-%d: 1\r\n" % number for number in range(LIMITS.header_count - 1)), WHOLE[len(OK) :])
    assert (len(answer.headers), answer.over) == (LIMITS.header_count, True)


def test_names_are_lower_case_and_values_text_whatever_bytes_they_are() -> None:
    told = Told()
    answer = told.ask()
    told.say(OK + b"X-Name:  \xc3\xa9 \xff \r\ncontent-length: 0\r\n\r\n")
    assert answer.headers == {"x-name": "é \udcff", "content-length": "0"}
