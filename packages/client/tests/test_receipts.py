"""Receipts are believed only when signature, chain and names all fit."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from monkey_coder.errors import ResponseFormatError
from monkey_coder.receipts import read_keys, read_receipt, verify
from monkey_coder_protocol.billing import Receipt

PRIVATE = Ed25519PrivateKey.from_private_bytes(b"7" * 32)
KEYS = {"k1": base64.b64encode(PRIVATE.public_key().public_bytes_raw()).decode()}


def signed(**changes: Any) -> Receipt:
    body = {"receipt_id": "rcpt_1", "charge_usd": "0.01", "previous": "0" * 64, "model": "é"} | changes
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Receipt(
        receipt_id="rcpt_1",
        body=text,
        signature=base64.b64encode(PRIVATE.sign(text.encode())).decode(),
        key_id="k1",
        chain_hash=hashlib.sha256((str(body["previous"]) + text).encode()).hexdigest(),
    )


def test_a_good_receipt_is_valid() -> None:
    result = verify(signed(key_id="the API key that paid, not the signing key"), KEYS)
    assert result.valid
    assert result.problem is None
    assert result.body["charge_usd"] == "0.01"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: msgspec.structs.replace(r, body=r.body.replace("0.01", "0.02")), "signature"),
        (lambda r: msgspec.structs.replace(r, signature="AAAA"), "signature"),
        (lambda r: msgspec.structs.replace(r, signature="no base64 é"), "signature"),
        (lambda r: msgspec.structs.replace(r, key_id="k2"), "No public key 'k2'"),
        (lambda r: msgspec.structs.replace(r, chain_hash="0" * 64), "chain hash"),
        (lambda r: msgspec.structs.replace(r, receipt_id="rcpt_2"), "another receipt"),
        (lambda r: msgspec.structs.replace(r, body="[]"), "not a JSON object"),
        (lambda r: msgspec.structs.replace(r, body="{"), "not a JSON object"),
        (lambda _: signed(receipt_id="rcpt_9"), "another receipt"),
        (lambda _: signed(receipt_id=None), "another receipt"),
        (lambda _: signed(previous=7), "receipt before it"),
        (lambda _: signed(previous="é"), "receipt before it"),
    ],
)
def test_anything_else_is_not(change: Callable[[Receipt], Receipt], words: str) -> None:
    result = verify(change(signed()), KEYS)
    assert not result.valid
    assert words in (result.problem or "")


def test_saved_files_that_are_something_else_are_refused() -> None:
    with pytest.raises(ResponseFormatError, match="not a saved receipt"):
        read_receipt(b"{}")
    with pytest.raises(ResponseFormatError, match="list of receipt keys"):
        read_keys(b"[]")
