"""Check signed receipts offline: the signature, the hash chain, and that the body is the receipt it claims to be."""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from monkey_coder.errors import ResponseFormatError
from monkey_coder_protocol.billing import Receipt, ReceiptKeys

FIRST = "0" * 64
"""What the first receipt of an API key names as the one before it."""
_SAVED = list[Receipt] | dict[str, Any]


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


@dataclass(frozen=True, slots=True)
class Gap:
    """A break in the chain of an API key: what is not here, or stands where another stands too. One sentence."""

    key_id: str
    receipt_id: str
    problem: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of several receipts. `whole` names the API keys whose chain is here from its very first receipt."""

    receipts: tuple[Verification, ...]
    gaps: tuple[Gap, ...]
    whole: tuple[str, ...]

    @property
    def valid(self) -> bool:
        """Whether every receipt is good and no chain has a gap."""
        return not self.gaps and all(each.valid for each in self.receipts)


def verify_all(receipts: Iterable[Receipt], keys: Mapping[str, str]) -> Verdict:
    """Check each receipt, and that each follows another of its API key, but for the oldest that is here.

    The order does not matter. A chain that begins later than at its very first receipt is a part, not a breach.
    """
    chains: dict[str, list[tuple[Receipt, Mapping[str, Any]]]] = {}
    checked = []
    for receipt in {each.receipt_id: each for each in receipts}.values():
        result = verify(receipt, keys)
        checked.append(result)
        chains.setdefault(str(result.body.get("key_id", "")), []).append((receipt, result.body))
    gaps = [gap for key_id, chain in chains.items() for gap in _gaps(key_id, chain)]
    whole = [key_id for key_id, chain in chains.items() if any(body.get("previous") == FIRST for _, body in chain)]
    return Verdict(tuple(checked), tuple(gaps), tuple(whole))


def _gaps(key_id: str, chain: Sequence[tuple[Receipt, Mapping[str, Any]]]) -> Iterator[Gap]:
    """Receipts that follow one that is not here, but for the oldest; and those that follow one another follows, too."""
    links = {receipt.chain_hash for receipt, _ in chain}
    in_time = sorted(chain, key=lambda each: (each[1].get("previous") != FIRST, str(each[1].get("at", ""))))
    cut = [receipt.receipt_id for receipt, body in in_time if body.get("previous") not in links]
    for receipt_id in cut[1:]:
        yield Gap(key_id, receipt_id, f"The receipt before {receipt_id} is missing.")
    followed: dict[str, str] = {}
    for receipt, body in in_time:
        earlier = followed.setdefault(str(body.get("previous")), receipt.receipt_id)
        if earlier != receipt.receipt_id:
            yield Gap(key_id, receipt.receipt_id, f"{receipt.receipt_id} follows the same receipt as {earlier} does.")


def read_receipts(content: bytes) -> list[Receipt]:
    """Receipts saved as JSON: one, a list, a page, or one a line. Raises `ResponseFormatError`."""
    try:
        found = msgspec.json.decode(content, type=_SAVED)
    except msgspec.MsgspecError:
        return [read_receipt(line) for line in content.splitlines() if line.strip()] or [read_receipt(content)]
    if isinstance(found, list):
        return found
    if "receipts" in found:
        return [msgspec.convert(each, Receipt) for each in found["receipts"]]
    return [read_receipt(content)]


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
