"""Recovery codes are many enough, long enough, and stored as what only the pepper makes of them."""

import re

from monkey_coder_server.adapters.recovery_codes import new_recovery_codes, recovery_digests


def test_ten_codes_of_120_bits_each() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[a-z2-7]{6}(-[a-z2-7]{6}){3}", code) for code in codes)
    assert not set(codes) & set(new_recovery_codes())


def test_a_former_pepper_goes_on_reading() -> None:
    before = recovery_digests((b"old",), "user_1 code")
    after = recovery_digests((b"new", b"old"), "user_1 code")
    assert after[1:] == before
    assert after[0] == recovery_digests((b"new",), "user_1 code")[0] != before[0]
    assert recovery_digests((b"old",), "user_2 code") != before
