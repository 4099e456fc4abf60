"""Codes as RFC 6238 computes them."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from monkey_coder_server.adapters.one_time_codes import TotpCodes

CODES = TotpCodes("Monkey Coder")
SECRET = base64.b32encode(b"12345678901234567890").decode()
"""RFC 6238, appendix B; its eight digits end in ours."""


@pytest.mark.parametrize(("second", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")])
def test_the_codes_of_the_standard_are_found(second: int, code: str) -> None:
    assert CODES.step(SECRET, code, datetime.fromtimestamp(second, UTC)) == second // 30


def test_a_clock_may_be_one_step_off_and_no_more() -> None:
    at = datetime.fromtimestamp(1111111109, UTC)
    for steps, found in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        then = at + timedelta(seconds=30 * steps)
        assert (CODES.step(SECRET, "081804", then) == 1111111109 // 30) is found


@pytest.mark.parametrize("code", ["", "28708", "2870820", "28708a", "٢٨٧٠٨٢", "-87082", "287 082"])
def test_what_is_no_code_is_of_no_step(code: str) -> None:
    assert CODES.step(SECRET, code, datetime.fromtimestamp(59, UTC)) is None


def test_a_secret_has_160_bits_and_an_address_that_apps_read() -> None:
    secret = CODES.new_secret()
    assert len(base64.b32decode(secret)) == 20
    assert secret != CODES.new_secret()
    address = urlsplit(CODES.address(secret, account="ada@example.org"))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert address.path == "/Monkey%20Coder:ada%40example.org"
    assert parse_qs(address.query) == {"secret": [secret], "issuer": ["Monkey Coder"]}
