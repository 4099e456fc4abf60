"""The caller's address is what the network or a trusted proxy says, never what the caller says."""

import pytest

from monkey_coder_server.web.client_address import client_address

PEER = "10.0.0.1"


def address(hops: int, *forwarded: bytes, peer: str = PEER, header: bytes = b"x-forwarded-for") -> str:
    scope = {"client": (peer, 1), "headers": [(header, value) for value in forwarded]}
    return client_address(scope, hops)


@pytest.mark.parametrize(
    ("hops", "forwarded", "expected"),
    [
        (0, [b"203.0.113.1"], PEER),
        (1, [b"203.0.113.1"], "203.0.113.1"),
        (1, [b"6.6.6.6, 203.0.113.1"], "203.0.113.1"),
        (1, [b"6.6.6.6", b"203.0.113.1"], "203.0.113.1"),
        (2, [b"6.6.6.6, 203.0.113.1, 10.0.0.9"], "203.0.113.1"),
        (2, [b"6.6.6.6, 7.7.7.7", b"203.0.113.1", b"10.0.0.9"], "203.0.113.1"),
        (3, [b"6.6.6.6," * 500 + b"203.0.113.1,10.0.0.8,10.0.0.9"], "203.0.113.1"),
        (2, [b"203.0.113.1"], PEER),
        (1, [], PEER),
    ],
)
def test_only_what_the_outermost_trusted_proxy_appended_counts(
    hops: int, forwarded: list[bytes], expected: str
) -> None:
    assert address(hops, *forwarded) == expected


@pytest.mark.parametrize(
    ("hop", "expected"),
    [
        (b"203.0.113.1:41812", "203.0.113.1"),
        (b"2001:db8::1", "2001:db8::1"),
        (b"2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        (b"[2001:db8::1]", "2001:db8::1"),
        (b"[2001:db8::1]:443", "2001:db8::1"),
        (b"fe80::1%eth0", "fe80::1"),
        (b"::ffff:203.0.113.1", "203.0.113.1"),
        (b"[::ffff:cb00:7101]:9", "203.0.113.1"),
    ],
)
def test_an_address_reads_the_same_however_a_proxy_writes_it(hop: bytes, expected: str) -> None:
    assert address(1, b"6.6.6.6, " + hop) == expected


@pytest.mark.parametrize(
    "hop",
    [
        b"",
        b" ",
        b"unknown",
        b"localhost",
        b"_hidden",
        b"203.0.113.1.",
        b"203.0.113.256",
        b"0xcb.0.113.1",
        b"3405803777",
        b"203.0.113.01",
        b"203.0.113.1:http",
        b"[2001:db8::1",
        b"[2001:db8::1]x",
        b"203.0.113.1 evil",
        b"203.0.113.1\x00",
        b"<script>",
        b"' OR 1=1 --",
        b"1\xb2.0.0.1",
        b"9" * 5_000,
    ],
)
def test_what_is_no_address_leaves_the_peers(hop: bytes) -> None:
    assert address(1, b"6.6.6.6, " + hop) == PEER


@pytest.mark.parametrize(
    "header", [b"forwarded", b"x-real-ip", b"cf-connecting-ip", b"true-client-ip", b"x_forwarded_for"]
)
def test_no_other_header_names_an_address(header: bytes) -> None:
    assert address(1, b"for=203.0.113.1", b"203.0.113.1", header=header) == PEER


@pytest.mark.parametrize(("peer", "expected"), [("::ffff:192.0.2.7", "192.0.2.7"), ("::1", "::1"), ("", "")])
def test_a_peers_address_is_written_plainly(peer: str, expected: str) -> None:
    assert address(0, peer=peer) == expected
