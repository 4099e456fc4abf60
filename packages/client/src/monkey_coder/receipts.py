"""Check signed receipts offline: the signature, the hash chain, and that the body is the receipt it claims to be."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from monkey_coder.errors import ResponseFormatError
from monkey_coder_protocol.billing import Receipt, ReceiptKeys


@dataclass(frozen=True, slots=True)
class Verification:
    """`problem` is None for a good receipt, else one sentence; `body` is what was signed."""

    receipt_id: str
    problem: str | None
    body: Mapping[str, Any]

    @property
    def valid(self) -> bool:
        """Whether everything fits."""
        return self.problem is None


def verify(receipt: Receipt, keys: Mapping[str, str]) -> Verification:
    """Check one receipt against the gateway's public keys (key id to base64)."""
    try:
        body = json.loads(receipt.body)
    except json.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        return Verification(receipt.receipt_id, "The signed body is not a JSON object.", {})
    return Verification(receipt.receipt_id, _problem(receipt, keys, body), body)


def read_receipt(content: bytes) -> Receipt:
    """A receipt saved as JSON. Raises `ResponseFormatError`."""
    try:
        return msgspec.json.decode(content, type=Receipt)
    except msgspec.MsgspecError as error:
        message = f"This is not a saved receipt ({error})."
        raise ResponseFormatError(message) from error


def read_keys(content: bytes) -> ReceiptKeys:
    """The keys of `/.well-known/monkey-receipts.json`, saved. Raises `ResponseFormatError`."""
    try:
        return msgspec.json.decode(content, type=ReceiptKeys)
    except msgspec.MsgspecError as error:
        message = f"This is not a saved list of receipt keys ({error})."
        raise ResponseFormatError(message) from error


def _problem(receipt: Receipt, keys: Mapping[str, str], body: Mapping[str, Any]) -> str | None:
    if receipt.key_id not in keys:
        return f"No public key {receipt.key_id!r} is known."
    from monkey_coder import _ed25519  # noqa: PLC0415  # big-number constants nobody else needs

    key, signature = _base64(keys[receipt.key_id]), _base64(receipt.signature)
    if not _ed25519.verify(key, receipt.body.encode(), signature):
        return "The signature does not fit: the receipt was changed or signed by somebody else."
    previous = body.get("previous")
    if not isinstance(previous, str) or not previous.isascii():
        return "The body does not name the receipt before it."
    if hashlib.sha256((previous + receipt.body).encode()).hexdigest() != receipt.chain_hash:
        return "The chain hash does not fit the body."
    if body.get("receipt_id") != receipt.receipt_id:
        return f"The signed body is of another receipt, {body.get('receipt_id')!r}."
    return None


def _base64(text: str) -> bytes:
    """The bytes, empty for what is no base64: no key and no signature is empty."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
