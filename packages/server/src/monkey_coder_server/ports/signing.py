"""Signatures under receipts."""

from collections.abc import Mapping
from typing import Protocol


class ReceiptSigner(Protocol):
    """Signs the canonical text of receipts; anybody can check it with the public keys."""

    @property
    def key_id(self) -> str:
        """Which key signs now."""

    def sign(self, body: str) -> str:
        """The Ed25519 signature of the text, in base64."""

    def valid(self, body: str, *, signature: str, public_key: str) -> bool:
        """Whether the signature is by that key, in base64, over this text."""

    def public_keys(self) -> Mapping[str, str]:
        """Key id to base64 public key of the keys kept here, old ones included."""
