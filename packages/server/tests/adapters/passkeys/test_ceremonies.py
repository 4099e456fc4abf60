"""A genuine answer is taken, everything else is not, whatever it is."""

import json
import random
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from monkey_coder_server.adapters.passkeys import WebAuthnCeremonies
from monkey_coder_server.ports.passkeys import Assertion, Holder, NewCredential
from packages.server.tests.authenticator import PRESENT, Authenticator, packed, unpacked

ORIGIN = "https://code.example.org"
CEREMONIES = WebAuthnCeremonies(f"{ORIGIN}/somewhere")
CHALLENGE = b"a challenge of at least sixteen bytes"
ADA = Holder(b"user_ada", "ada@example.org", "Ada")


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator(origin=ORIGIN)


@pytest.fixture
def made(authenticator: Authenticator) -> NewCredential:
    options = CEREMONIES.registration(ADA, CHALLENGE, known=[])
    credential = CEREMONIES.registered(authenticator.register(dict(options)), CHALLENGE)
    assert credential is not None
    return credential


def asked(*, known: list[bytes] | None = None, verified: bool = True) -> dict[str, Any]:
    return dict(CEREMONIES.authentication(CHALLENGE, known=known or [], verified=verified))


def taken(answer: Mapping[str, Any], made: NewCredential, *, verified: bool = True) -> Assertion | None:
    return CEREMONIES.authenticated(answer, CHALLENGE, public_key=made.public_key, verified=verified)


def test_what_a_browser_is_asked_names_the_site_and_the_person() -> None:
    options = CEREMONIES.registration(ADA, CHALLENGE, known=[b"known"])
    assert json.loads(json.dumps(options)) == options
    assert options["rp"] == {"name": "Monkey Coder", "id": "code.example.org"}
    assert unpacked(options["user"]["id"]) == b"user_ada"
    assert (options["user"]["name"], options["user"]["displayName"]) == ("ada@example.org", "Ada")
    assert unpacked(options["challenge"]) == CHALLENGE
    assert [unpacked(each["id"]) for each in options["excludeCredentials"]] == [b"known"]
    assert options["attestation"] == "none"
    assert asked()["userVerification"] == "required"
    assert asked(verified=False)["userVerification"] == "preferred"
    assert [unpacked(each["id"]) for each in asked(known=[b"known"])["allowCredentials"]] == [b"known"]


def test_a_genuine_answer_is_taken(authenticator: Authenticator, made: NewCredential) -> None:
    assert made.credential_id == authenticator.credentials[0].credential_id
    assert made.sign_count == 1
    assert taken(authenticator.answer(asked()), made) == Assertion(2, user_verified=True)


def test_who_was_not_verified_is_taken_only_where_that_is_not_asked(
    made: NewCredential, authenticator: Authenticator
) -> None:
    answer = authenticator.answer(asked(), flags=PRESENT)
    assert taken(answer, made) is None
    assert taken(answer, made, verified=False) == Assertion(2, user_verified=False)


WRONG: list[dict[str, Any]] = [
    {"origin": "https://code.example.org.evil.example"},
    {"origin": "http://code.example.org"},
    {"origin": "https://code.example.org:8443"},
    {"relying_party": "example.org"},
    {"challenge": packed(b"another challenge of some bytes")},
    {"type": "payment.get"},
    {"flags": 0},
]


@pytest.mark.parametrize(
    "wrong", [*WRONG, {"type": "webauthn.create"}, {"key": ec.generate_private_key(ec.SECP256R1())}]
)
def test_no_answer_to_anything_else_is_taken(
    wrong: dict[str, Any], made: NewCredential, authenticator: Authenticator
) -> None:
    assert taken(authenticator.answer(asked(), **wrong), made) is None


@pytest.mark.parametrize("wrong", [*WRONG, {"type": "webauthn.get"}])
def test_nothing_else_is_registered(wrong: dict[str, Any], authenticator: Authenticator) -> None:
    options = dict(CEREMONIES.registration(ADA, CHALLENGE, known=[]))
    assert CEREMONIES.registered(authenticator.register(options, **wrong), CHALLENGE) is None


def test_garbage_is_refused_without_a_crash(made: NewCredential, authenticator: Authenticator) -> None:
    chance = random.Random(7)
    genuine = [
        authenticator.answer(asked()),
        Authenticator(origin=ORIGIN).register(dict(CEREMONIES.registration(ADA, CHALLENGE, known=[]))),
    ]
    for _ in range(400):
        broken = deepcopy(chance.choice(genuine))
        field = chance.choice([*broken["response"], "id", "rawId", "type"])
        place = broken if field in broken else broken["response"]
        place[field] = _broken(place[field], chance)
        assert taken(broken, made) is None or field == "userHandle"
        CEREMONIES.registered(broken, CHALLENGE)


def _broken(value: str, chance: random.Random) -> Any:
    data = bytearray(unpacked(value)) if value != "public-key" else bytearray(b"none")
    match chance.randrange(5):
        case 0:
            return chance.choice([None, 7, [], {}, True, "", "\udcff", "é"])
        case 1:
            return packed(bytes(data[: chance.randrange(len(data))]))
        case 2:
            return packed(bytes(data) + chance.randbytes(3))
        case _:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            return packed(bytes(data))
