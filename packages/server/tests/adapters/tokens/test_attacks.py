"""What is tried against access tokens: RFC 8725 and the history of JWT libraries. None of it is read."""

import base64
import hmac
import json
from hashlib import sha256, sha384
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from monkey_coder_server.adapters.tokens import JwtTokens
from monkey_coder_server.adapters.tokens.jwt_tokens import LEEWAY_SECONDS, LONGEST_TOKEN

SECRET = "kR7vQ2mX9bT4wZ6nL1pS8dF3gH5jC0aYeU-iO_q"
OTHER = "Zb4TqW9xN2mV7kL5pR1sD8fG3hJ6cA0yEu-iO_kP"
NOW = 1_800_000_000
TOKENS = JwtTokens(SECRET, new_id=lambda prefix: f"{prefix}_1")
GENUINE, EXPIRES = TOKENS.issue(user_id="usr_1", account_id="acc_1", session_id="ses_1", now=NOW)
HEADER, CLAIMS = jwt.get_unverified_header(GENUINE), jwt.decode(GENUINE, options={"verify_signature": False})


def part(value: object) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def signed(header: object, claims: object, *, key: bytes = SECRET.encode(), digest: Any = sha256) -> str:
    """A token whose signature is right for the key: what is refused is refused for what it says."""
    body = f"{part(header)}.{part(claims)}"
    return f"{body}.{part(hmac.digest(key, body.encode(), digest))}"


def test_the_way_these_tests_sign_is_the_right_one() -> None:
    assert TOKENS.read(signed(HEADER, CLAIMS), now=NOW) == TOKENS.read(GENUINE, now=NOW) is not None


PRIVATE = rsa.generate_private_key(65537, 2048)
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
JWK = {"kty": "oct", "k": part(OTHER.encode())}
UNSIGNED = f"{part({**HEADER, 'alg': 'none'})}.{part(CLAIMS)}."


@pytest.mark.parametrize(
    "token",
    [
        UNSIGNED,
        UNSIGNED.replace(part({**HEADER, "alg": "none"}), part({**HEADER, "alg": "nOnE"})),
        f"{part({**HEADER, 'alg': 'none'})}.{part(CLAIMS)}.{GENUINE.rpartition('.')[2]}",
        GENUINE.rpartition(".")[0] + ".",
        signed({**HEADER, "alg": "HS384"}, CLAIMS, digest=sha384),
        signed({**HEADER, "alg": "RS256"}, CLAIMS, key=PUBLIC),
        signed(HEADER, CLAIMS, key=PUBLIC),
        jwt.encode(CLAIMS, PRIVATE, algorithm="RS256", headers=HEADER | {"alg": "RS256"}),
        signed(HEADER, CLAIMS, key=b""),
        signed(HEADER, CLAIMS, key=OTHER.encode()),
    ],
    ids=[
        "none",
        "nOnE",
        "none_but_signed",
        "signature_cut",
        "HS384",
        "RS256_by_public_key",
        "public_key",
        "RS256",
        "empty_key",
        "another",
    ],
)
def test_no_other_algorithm_or_key_is_taken(token: str) -> None:
    assert TOKENS.read(token, now=NOW) is None


@pytest.mark.parametrize(
    "said",
    [
        {"kid": "../../../../dev/null"},
        {"kid": "x' UNION SELECT 'a"},
        {"kid": ""},
        {"kid": None},
        {"kid": ["a"]},
        {"kid": {}},
        {"jwk": JWK},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/chain"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"typ": "JWT"},
        {"typ": "AT+JWT "},
        {"typ": None},
    ],
    ids=str,
)
@pytest.mark.parametrize("key", [SECRET, OTHER, ""])
def test_a_token_chooses_no_key_and_asks_nothing_of_its_reader(said: dict[str, Any], key: str) -> None:
    assert TOKENS.read(signed({**HEADER, **said}, CLAIMS, key=key.encode()), now=NOW) is None


@pytest.mark.parametrize("missing", ["typ", "kid", "alg"])
def test_a_token_that_says_less_of_itself_is_none(missing: str) -> None:
    header = {name: value for name, value in HEADER.items() if name != missing}
    assert TOKENS.read(signed(header, CLAIMS), now=NOW) is None


@pytest.mark.parametrize(
    "said",
    [
        {"aud": "another"},
        {"aud": ["another"]},
        {"iss": "someone"},
        {"iss": ["monkey-coder"]},
        {"exp": NOW - LEEWAY_SECONDS},
        {"exp": str(EXPIRES)},
        {"exp": None},
        {"exp": 1e400},
        {"nbf": NOW + LEEWAY_SECONDS + 1},
        {"nbf": "soon"},
        {"iat": NOW + LEEWAY_SECONDS + 1},
        {"iat": None},
        {"sub": 7},
    ],
    ids=str,
)
def test_claims_that_are_not_ours_or_not_of_this_time_are_refused(said: dict[str, Any]) -> None:
    assert TOKENS.read(signed(HEADER, {**CLAIMS, **said}), now=NOW) is None


def test_a_clock_may_be_half_a_minute_off() -> None:
    assert TOKENS.read(GENUINE, now=NOW - LEEWAY_SECONDS) is not None
    assert TOKENS.read(GENUINE, now=NOW - LEEWAY_SECONDS - 1) is None
    assert TOKENS.read(GENUINE, now=EXPIRES + LEEWAY_SECONDS - 1) is not None
    assert TOKENS.read(GENUINE, now=EXPIRES + LEEWAY_SECONDS) is None


@pytest.mark.parametrize(
    "token",
    [
        "A" * 1_000_000,
        f"{part({**HEADER, 'kid': 'x' * LONGEST_TOKEN})}.{part(CLAIMS)}.x",
        f"{part(b'[' * 900)}.x.x",
        f"{part(b'{')}.{part(b'}')}.x",
        f"{part(b'7')}.{part(CLAIMS)}.x",
        "..",
        "....",
        GENUINE.replace(".", "..", 1),
        GENUINE + ".x",
        "\udcff.\x00.é",
    ],
    ids=[
        "huge",
        "a long name",
        "deep",
        "no JSON",
        "no object",
        "empty",
        "five parts",
        "a gap",
        "four parts",
        "no text",
    ],
)
def test_what_is_no_token_is_refused_without_a_crash(token: str) -> None:
    assert TOKENS.read(token, now=NOW) is None


def test_a_claim_that_is_said_twice_counts_once_and_changes_nothing_without_the_secret() -> None:
    twice = json.dumps(CLAIMS)[:-1].encode() + b', "sub": "usr_victim"}'
    body = f"{GENUINE.partition('.')[0]}.{part(twice)}"
    assert TOKENS.read(f"{body}.{GENUINE.rpartition('.')[2]}", now=NOW) is None


def test_every_single_bit_counts() -> None:
    for place in range(0, len(GENUINE), 7):
        for other in "Aa0_":
            broken = GENUINE[:place] + other + GENUINE[place + 1 :]
            assert broken == GENUINE or TOKENS.read(broken, now=NOW) is None, place


def test_tokens_of_a_former_secret_are_read_until_it_is_dropped_and_none_is_made_with_it() -> None:
    rotated = JwtTokens(OTHER, SECRET, new_id=lambda prefix: f"{prefix}_2")
    assert rotated.read(GENUINE, now=NOW) is not None
    made, _ = rotated.issue(user_id="usr_1", account_id="acc_1", session_id="ses_1", now=NOW)
    assert jwt.get_unverified_header(made)["kid"] != HEADER["kid"]
    assert TOKENS.read(made, now=NOW) is None
    assert JwtTokens(OTHER, new_id=str).read(made, now=NOW) is not None
    assert JwtTokens(OTHER, new_id=str).read(GENUINE, now=NOW) is None


def test_the_name_of_one_secret_opens_nothing_signed_with_another() -> None:
    rotated = JwtTokens(OTHER, SECRET, new_id=str)
    assert rotated.read(signed(HEADER, CLAIMS, key=OTHER.encode()), now=NOW) is None


@pytest.mark.parametrize("former", ["", "short"])
def test_a_short_former_secret_is_refused_too(former: str) -> None:
    with pytest.raises(ValueError, match="at least 32"):
        JwtTokens(SECRET, former, new_id=str)
