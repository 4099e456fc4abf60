"""Ed25519 signatures under receipts, with a key kept in the data directory.

The private key is no shared secret: nobody else needs it, so it is made on first start, also in production. It must
persist with the data, because receipts are checked against its public half. `*.pub` files beside it, base64 of former
public keys, are published too, as are the keys of other gateways of the same books.

libsodium signs, in two thirds of the time OpenSSL takes; the same key signs a text alike with both.
"""

import base64
import os
from binascii import b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from nacl.bindings import crypto_sign, crypto_sign_BYTES, crypto_sign_seed_keypair

from monkey_coder_server.domain.receipts import signing_key_id

KEY_FILE = "receipt-signing-key.pem"
FORMER_KEYS = "receipt-signing-key*.pub"


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """`ports.signing.ReceiptSigner` over one private key and the public halves of its predecessors."""

    key_id: str
    keys: Mapping[str, Ed25519PublicKey]
    secret: bytes = field(repr=False)
    """The private key and its public half, as libsodium wants them together."""

    def sign(self, body: str) -> str:
        """The signature of the text's UTF-8 bytes, in base64."""
        signed = crypto_sign(body.encode(), self.secret)
        return b2a_base64(signed[:crypto_sign_BYTES], newline=False).decode("ascii")

    def valid(self, body: str, *, signature: str, public_key: str) -> bool:
        """Whether the signature is by that key over this text."""
        try:
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
            key.verify(base64.b64decode(signature, validate=True), body.encode())
        except (InvalidSignature, ValueError):
            return False
        return True

    def public_keys(self) -> Mapping[str, str]:
        """Key id to base64 public key, former keys included."""
        return {key_id: base64.b64encode(key.public_bytes_raw()).decode("ascii") for key_id, key in self.keys.items()}


def signer_of(private_key: Ed25519PrivateKey, *former: Ed25519PublicKey) -> Ed25519Signer:
    """A signer over a key that knows the public halves of former ones."""
    public = private_key.public_key()
    keys = {signing_key_id(key.public_bytes_raw()): key for key in (*former, public)}
    _, secret = crypto_sign_seed_keypair(private_key.private_bytes_raw())
    return Ed25519Signer(signing_key_id(public.public_bytes_raw()), MappingProxyType(keys), secret)


def load_or_create_signer(data_dir: Path) -> Ed25519Signer:
    """The signer of a data directory, its key made on first use, readable by the owner alone.

    Raises `OSError` when the file cannot be read or made, `ValueError` when it holds no Ed25519 key.
    """
    path = data_dir / KEY_FILE
    if not path.exists():
        _create(path)
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        message = f"{path} holds no Ed25519 key; receipts are signed with nothing else."
        raise ValueError(message)  # noqa: TRY004 - the file's content is wrong, not a caller's type
    former = [_public(file) for file in sorted(data_dir.glob(FORMER_KEYS))]
    return signer_of(key, *former)


def _create(path: Path) -> None:
    """Write a new key whole or not at all; the first of two processes that start together wins."""
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _public(file: Path) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(file.read_text("ascii").strip()))
