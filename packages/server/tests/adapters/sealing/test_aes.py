"""What is sealed is read only with the same secret for the same purpose."""

from monkey_coder_server.adapters.sealing.aes import AesSealing


def test_what_was_sealed_is_opened_and_never_looks_the_same_twice() -> None:
    sealing = AesSealing(b"pepper")
    one, two = (sealing.seal(b"mk-secret", b"purpose") for _ in range(2))
    assert one != two
    assert b"mk-secret" not in one
    assert sealing.open(one, b"purpose") == sealing.open(two, b"purpose") == b"mk-secret"


def test_another_purpose_another_secret_and_altered_bytes_open_nothing() -> None:
    sealed = AesSealing(b"pepper").seal(b"mk-secret", b"purpose")
    assert AesSealing(b"pepper").open(sealed, b"other") is None
    assert AesSealing(b"salt").open(sealed, b"purpose") is None
    for wrong in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:5], b""):
        assert AesSealing(b"pepper").open(wrong, b"purpose") is None


def test_a_former_secret_goes_on_opening_and_seals_nothing_new() -> None:
    before, after = AesSealing(b"old"), AesSealing(b"new", b"old")
    assert after.open(before.seal(b"kept", b"purpose"), b"purpose") == b"kept"
    sealed = after.seal(b"kept", b"purpose")
    assert before.open(sealed, b"purpose") is None
    assert AesSealing(b"new").open(sealed, b"purpose") == b"kept"
