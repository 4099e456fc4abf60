"""A passkey authenticator and a browser before it, in software (WebAuthn Level 3, sections 5.8.1, 6.1 and 6.5).

It does what it is asked, and no more: it refuses other relying parties than its origin's, finds its credentials by
what it is given or by itself, and counts. What a test wants wrong it says by name.
"""

import base64
import json
import secrets
import struct
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def packed(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cbor(value: Any) -> bytes:
    """RFC 8949: integers, bytes, text, and maps of them."""
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    pairs = [cbor(key) + cbor(each) for key, each in value.items()]
    return _head(5, len(pairs)) + b"".join(pairs)


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    if number < 256:
        return bytes([kind << 5 | 24, number])
    return bytes([kind << 5 | 25]) + struct.pack(">H", number)


@dataclass
class Credential:
    credential_id: bytes
    handle: bytes
    key: ec.EllipticCurvePrivateKey
    count: int = 0


@dataclass
class Authenticator:
    """`verifies`: it knows its owner by finger or PIN. `counts`: a counter tells copies apart."""

    origin: str = "http://localhost:8000"
    verifies: bool = True
    counts: bool = True
    credentials: list[Credential] = field(default_factory=list)

    def register(self, options: dict[str, Any], **wrong: Any) -> dict[str, Any]:
        """Make a credential, as `navigator.credentials.create` does, and answer as its `toJSON`."""
        relying_party = options["rp"]["id"]
        assert relying_party == urlsplit(self.origin).hostname
        assert {"type": "public-key", "alg": -7} in options["pubKeyCredParams"]
        known = {unpacked(each["id"]) for each in options.get("excludeCredentials", [])}
        assert not known & {each.credential_id for each in self.credentials}, "InvalidStateError"
        made = Credential(
            secrets.token_bytes(32), unpacked(options["user"]["id"]), ec.generate_private_key(ec.SECP256R1())
        )
        self.credentials.append(made)
        point = made.key.public_key().public_numbers()
        cose = cbor({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)})
        attested = bytes(16) + struct.pack(">H", len(made.credential_id)) + made.credential_id + cose
        data = self._data(relying_party, made, ATTESTED, wrong) + attested
        client = self._client("webauthn.create", options["challenge"], wrong)
        statement = cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(made, client, attestationObject=packed(statement))

    def answer(self, options: dict[str, Any], **wrong: Any) -> dict[str, Any]:
        """Sign a challenge, as `navigator.credentials.get` does, and answer as its `toJSON`."""
        assert options["rpId"] == urlsplit(self.origin).hostname
        allowed = {unpacked(each["id"]) for each in options.get("allowCredentials", [])}
        found = [each for each in self.credentials if not allowed or each.credential_id in allowed]
        assert found, "NotAllowedError"
        assert self.verifies or options["userVerification"] != "required" or wrong, "NotAllowedError"
        used = found[-1]
        data = self._data(options["rpId"], used, 0, wrong)
        client = self._client("webauthn.get", options["challenge"], wrong)
        key = wrong.get("key", used.key)
        signature = key.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            used,
            client,
            authenticatorData=packed(data),
            signature=packed(signature),
            userHandle=packed(wrong.get("handle", used.handle)),
        )

    def _data(self, relying_party: str, used: Credential, flags: int, wrong: dict[str, Any]) -> bytes:
        flags |= wrong.get("flags", PRESENT | (VERIFIED if self.verifies else 0))
        used.count = wrong.get("count", used.count + 1 if self.counts else 0)
        scope = sha256(wrong.get("relying_party", relying_party).encode()).digest()
        return scope + bytes([flags]) + struct.pack(">I", used.count)

    def _client(self, kind: str, challenge: str, wrong: dict[str, Any]) -> bytes:
        said = {
            "type": wrong.get("type", kind),
            "challenge": wrong.get("challenge", challenge),
            "origin": wrong.get("origin", self.origin),
            "crossOrigin": wrong.get("cross_origin", False),
        }
        return json.dumps(said).encode()

    def _answer(self, used: Credential, client: bytes, **response: str) -> dict[str, Any]:
        name = packed(used.credential_id)
        response = {"clientDataJSON": packed(client), **response}
        return {"id": name, "rawId": name, "type": "public-key", "clientExtensionResults": {}, "response": response}
