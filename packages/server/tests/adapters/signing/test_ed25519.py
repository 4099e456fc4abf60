"""The receipt signer and its key file."""

import base64
import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from monkey_coder_server.adapters.signing.ed25519 import KEY_FILE, load_or_create_signer, signer_of


def test_a_signature_is_valid_for_its_text_and_key_alone() -> None:
    signer, other = signer_of(Ed25519PrivateKey.generate()), signer_of(Ed25519PrivateKey.generate())
    signature = signer.sign("receipt")
    key, others = signer.public_keys()[signer.key_id], other.public_keys()[other.key_id]
    assert other.valid("receipt", signature=signature, public_key=key)
    assert not signer.valid("Receipt", signature=signature, public_key=key)
    assert not signer.valid("receipt", signature=other.sign("receipt"), public_key=key)
    assert not signer.valid("receipt", signature=signature, public_key=others)
    assert not signer.valid("receipt", signature="no base64!", public_key=key)
    assert not signer.valid("receipt", signature=signature, public_key="no key")


def test_anybody_can_check_with_the_published_key() -> None:
    signer = signer_of(Ed25519PrivateKey.generate())
    raw = base64.b64decode(signer.public_keys()[signer.key_id])
    Ed25519PublicKey.from_public_bytes(raw).verify(base64.b64decode(signer.sign("é")), "é".encode())
    assert signer.key_id == hashlib.sha256(raw).hexdigest()[:16]


@pytest.mark.parametrize("text", ["", "receipt", "é", "x" * 100_000])
def test_a_key_signs_a_text_as_it_always_did(text: str) -> None:
    key = Ed25519PrivateKey.generate()
    assert base64.b64decode(signer_of(key).sign(text)) == key.sign(text.encode())


def test_a_signer_does_not_show_its_key() -> None:
    key = Ed25519PrivateKey.generate()
    assert repr(key.private_bytes_raw())[2:-1] not in repr(signer_of(key))


def test_the_key_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    first = load_or_create_signer(tmp_path / "data")
    again = load_or_create_signer(tmp_path / "data")
    assert first.key_id == again.key_id
    assert (tmp_path / "data" / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "data").iterdir()] == [KEY_FILE]


def test_receipts_of_a_former_key_stay_valid(tmp_path: Path) -> None:
    former = signer_of(Ed25519PrivateKey.generate())
    (tmp_path / "receipt-signing-key-2025.pub").write_text(former.public_keys()[former.key_id] + "\n")
    signer = load_or_create_signer(tmp_path)
    assert signer.public_keys()[former.key_id] == former.public_keys()[former.key_id]
    assert set(signer.public_keys()) == {signer.key_id, former.key_id}
    assert signer.key_id != former.key_id


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / KEY_FILE).write_bytes(pem)
    with pytest.raises(ValueError, match="no Ed25519 key"):
        load_or_create_signer(tmp_path)
