"""Where a browser may be sent back to, and who may use what it brings."""

import pytest

from monkey_coder_server.domain import native_apps

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/callback", "http://[::1]:65535/callback"])
def test_only_this_computer_at_one_path_is_a_way_back(address: str) -> None:
    assert native_apps.loopback_redirect(address)
    assert f"{native_apps.origin_of(address)}/callback" == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://127.0.0.1:8/callback",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:8/callback/",
        "http://127.0.0.1:8/callback?next=x",
        "http://127.0.0.1:8/callback#x",
        "http://127.0.0.1:8/other",
        "http://127.0.0.1:8/../callback",
        "http://localhost:8/callback",
        "http://127.0.0.2:8/callback",
        "http://127.1:8/callback",
        "http://2130706433:8/callback",
        "http://[::ffff:127.0.0.1]:8/callback",
        "http://127.0.0.1:8@evil.example/callback",
        "http://user@127.0.0.1:8/callback",
        "http://127.0.0.1.evil.example:8/callback",
        "http://127.0.0.1:8\\@evil.example/callback",
        "http://127.0.0.1:8/callback\r\nx: y",
        "http://127.0.0.1:8/callback\n",
        "HTTP://127.0.0.1:8/callback",
        "http://127.0.0.1:\uff18/callback",
        "javascript:alert(1)",
    ],
)
def test_everything_else_is_none(address: str) -> None:
    assert not native_apps.loopback_redirect(address)


def test_the_challenge_is_the_one_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    assert native_apps.challenge_of(VERIFIER) == CHALLENGE
    assert native_apps.proves(VERIFIER, CHALLENGE)
    assert native_apps.well_formed(CHALLENGE)


@pytest.mark.parametrize("verifier", ["", "short", VERIFIER[:-1] + "j", CHALLENGE, VERIFIER + " ", "é" * 43, "a" * 129])
def test_another_verifier_proves_nothing(verifier: str) -> None:
    assert not native_apps.proves(verifier, CHALLENGE)


@pytest.mark.parametrize("challenge", ["", CHALLENGE + "=", CHALLENGE[:-1], VERIFIER + "A", "+" * 43])
def test_what_is_no_challenge_is_seen(challenge: str) -> None:
    assert not native_apps.well_formed(challenge)


def test_names_are_shown_on_one_line_and_not_at_any_length() -> None:
    assert native_apps.shown_name("  ada's\tlaptop\r\n\x1b[31m ") == "ada's laptop [31m"
    assert native_apps.shown_name("x" * 100) == "x" * native_apps.LONGEST_HOST
    assert native_apps.shown_name(None) == ""
