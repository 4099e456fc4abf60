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
from monkey_coder.receipts import read_keys, read_receipt, read_receipts, verify, verify_all
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


def chain(number: int, key_id: str = "key_1") -> list[Receipt]:
    """The first receipts of an API key."""
    made: list[Receipt] = []
    for place in range(number):
        previous = made[-1].chain_hash if made else "0" * 64
        name = f"rcpt_{key_id}_{place}"
        receipt = signed(receipt_id=name, key_id=key_id, previous=previous, at=f"2026-11-{place + 1:02d}")
        made.append(msgspec.structs.replace(receipt, receipt_id=name))
    return made


def test_whole_chains_are_valid_in_any_order_and_told_apart_by_key() -> None:
    result = verify_all([*reversed(chain(4)), *chain(3, "key_2")], KEYS)
    assert result.valid
    assert (len(result.receipts), sorted(result.whole)) == (7, ["key_1", "key_2"])


@pytest.mark.parametrize("left_out", [1, 2, 3])
def test_a_receipt_that_is_missing_is_a_gap_before_the_next(left_out: int) -> None:
    kept = [receipt for place, receipt in enumerate(chain(5)) if place != left_out]
    (gap,) = verify_all(kept, KEYS).gaps
    assert (gap.key_id, gap.receipt_id) == ("key_1", f"rcpt_key_1_{left_out + 1}")
    assert not verify_all(kept, KEYS).valid


def test_the_end_of_a_chain_is_a_part_and_no_breach() -> None:
    result = verify_all(chain(5)[2:], KEYS)
    assert (result.valid, result.whole) == (True, ())


def test_the_receipt_that_was_changed_is_named_among_good_ones() -> None:
    receipts = chain(3)
    receipts[1] = msgspec.structs.replace(receipts[1], body=receipts[1].body.replace("0.01", "0.00"))
    result = verify_all(receipts, KEYS)
    assert [each.receipt_id for each in result.receipts if each.problem] == ["rcpt_key_1_1"]


def test_two_receipts_after_the_same_one_are_a_fork() -> None:
    receipts = chain(2)
    twin = signed(receipt_id="rcpt_twin", key_id="key_1", previous=receipts[0].chain_hash, at="2026-11-09")
    (gap,) = verify_all([*receipts, msgspec.structs.replace(twin, receipt_id="rcpt_twin")], KEYS).gaps
    assert "rcpt_twin follows the same receipt as rcpt_key_1_1" in gap.problem


@pytest.mark.parametrize("write", ["one", "list", "page", "lines"])
def test_receipts_are_read_however_they_were_saved(write: str) -> None:
    receipts = chain(1 if write == "one" else 3)
    encoded = [msgspec.json.encode(each) for each in receipts]
    page = {"receipts": receipts, "next": None}
    content = {
        "one": encoded[0],
        "list": msgspec.json.encode(receipts),
        "page": msgspec.json.encode(page),
        "lines": b"\n".join(encoded),
    }
    assert read_receipts(content[write]) == receipts


@pytest.mark.parametrize("content", [b"", b"x", b"{}", b"[1]"])
def test_what_holds_no_receipts_is_refused(content: bytes) -> None:
    with pytest.raises(ResponseFormatError):
        read_receipts(content)
