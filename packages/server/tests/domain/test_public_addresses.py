"""Only hosts of the public Internet are called, however others are written."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.public_addresses import LONGEST_URL, NoPublicPlace, Place, is_public, place_of

NOBODY: frozenset[str] = frozenset()
PUBLIC = ("8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "192.169.0.1", "2606:4700::1111", "2a00:1450::1")
NOT_PUBLIC = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.255
169.254.169.254 169.254.170.2 168.63.129.16 172.16.0.1 172.31.255.254 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1
198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.7 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
:: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:169.254.169.254 64:ff9b::7f00:1 64:ff9b::8.8.8.8 64:ff9b:1::1
100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1
2620:4f:8000::1 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%lo 2606:4700::1111%eth0 fec0::1 ff02::1
localhost example.com 127.1 0x7f000001 2130706433 017700000001 127.0.0.01
"""
BAD_HOSTS = """
127.0.0.1 127.1 0 0.0.0.0 2130706433 017700000001 0177.0.0.1 0x7f000001 0x7f.0.0.1 127.0.0.1. 127.0.0.01
localhost LOCALHOST localhost. ip6-localhost [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1]
[::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [fe80::1] [fd00::1] [::1%25lo] 10.0.0.1 172.16.0.1 192.168.0.1
100.64.0.1 169.254.169.254 2852039166 0xa9fea9fe 0251.0376.0251.0376 [::ffff:169.254.169.254] [fd00:ec2::254]
168.63.129.16 metadata a.example@127.0.0.1 127.0.0.1@a.example a.example%2f@127.0.0.1 user:pass@a.example
127.0.0.1%23@a.example a_b.example .example a..example a.example. a.123 a.0x7f -a.example example
"""
BAD_URLS = (
    "", "a.example", "//a.example/", "http://a.example/", "ftp://a.example/", "file:///etc/passwd", "https:///x",
    "https://a.example:80/", "https://a.example:22/", "https://a.example:6379/", "https://a.example:99999/",
    "https://a.example:0x1bb/", "https://a.example:-1/", "https://a.example/#part", "https://a.example#",
    "https://a.example\\@127.0.0.1/", "https:\\\\a.example/", "https://a.example/ b", "https://a.example/\n",
    "https://\u2460\u2461\u2466.0.0.1/", "https://ex\u00e4mple.com/", "https://a.example/" + "x" * LONGEST_URL,
    "https://[::1/", "https://[1.2.3.4]/", "gopher://a.example:443/_x", "HTTPS://127.0.0.1/", "https://a.example:443:443/",
)  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(address)
    assert place_of(f"https://{f'[{address}]' if ':' in address else address}/", NOBODY).host == address


@pytest.mark.parametrize("address", NOT_PUBLIC.split())
def test_not_public(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if not address.is_global or address.is_multicast:
        assert not is_public(str(address))


@pytest.mark.parametrize("host", BAD_HOSTS.split())
def test_no_host_that_is_not_plainly_public_is_taken(host: str) -> None:
    with pytest.raises(NoPublicPlace):
        place_of(f"https://{host}/hook", NOBODY)


@pytest.mark.parametrize("url", BAD_URLS)
def test_no_address_that_is_read_in_two_ways_is_taken(url: str) -> None:
    with pytest.raises(NoPublicPlace):
        place_of(url, NOBODY)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://example.com", Place("example.com", 443, excepted=False)),
        ("https://Hooks.Example.com:8443/a?b=c", Place("hooks.example.com", 8443, excepted=False)),
        ("http://127.0.0.1:9/", Place("127.0.0.1", 9, excepted=True)),
        ("https://internal:444/x", Place("internal", 444, excepted=True)),
    ],
)
def test_what_is_taken(url: str, place: Place) -> None:
    assert place_of(url, {"127.0.0.1:9", "internal:444"}) == place


def test_an_exception_is_of_its_port_alone() -> None:
    for url in ("http://127.0.0.1:8/", "https://127.0.0.1/", "http://internal:80/"):
        with pytest.raises(NoPublicPlace):
            place_of(url, {"127.0.0.1:9", "internal:444"})
