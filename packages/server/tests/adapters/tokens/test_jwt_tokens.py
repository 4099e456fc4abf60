import base64
import json
from typing import Any

import jwt
import pytest

from monkey_coder_server.adapters.tokens import JwtTokens
from monkey_coder_server.adapters.tokens.jwt_tokens import LEEWAY_SECONDS

SECRET = "a secret of more than thirty-two bytes, made up for this test only"
NOW = 1_800_000_000
TOKENS = JwtTokens(SECRET, new_id=lambda prefix: f"{prefix}_1")
TOKEN, EXPIRES = TOKENS.issue(user_id="usr_1", account_id="acc_1", session_id="ses_1", now=NOW)


def forged(
    *, key: str = SECRET, algorithm: str = "HS256", headers: dict[str, Any] | None = None, **changes: Any
) -> str:
    claims = {**jwt.decode(TOKEN, options={"verify_signature": False}), **changes}
    claims = {name: value for name, value in claims.items() if value is not None}
    kept = {**jwt.get_unverified_header(TOKEN), **(headers or {})}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"typ": kept["typ"], "kid": kept["kid"]})


def unsigned() -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    claims = jwt.decode(TOKEN, options={"verify_signature": False})
    return f"{part({'alg': 'none', 'typ': 'at+jwt'})}.{part(claims)}."


def test_a_token_reads_back_until_it_expires() -> None:
    claims = TOKENS.read(TOKEN, now=NOW)
    assert claims is not None
    assert (claims.user_id, claims.account_id, claims.session_id) == ("usr_1", "acc_1", "ses_1")
    assert claims.expires == EXPIRES
    assert TOKENS.read(TOKEN, now=EXPIRES + LEEWAY_SECONDS - 1) is not None
    assert TOKENS.read(TOKEN, now=EXPIRES + LEEWAY_SECONDS) is None


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        TOKEN[:-2],
        TOKEN + "x",
        unsigned(),
        forged(key="another secret of more than thirty-two bytes, made up as well"),
        forged(algorithm="HS384"),
        forged(iss="someone"),
        forged(aud="something"),
        forged(sid=None),
        forged(exp=None),
        forged(acc=None),
        forged(exp="later"),
        forged(headers={"typ": "JWT"}),
        forged(headers={"kid": "../../etc/passwd"}),
    ],
)
def test_forgeries_are_not_read(token: str) -> None:
    assert TOKENS.read(token, now=NOW) is None


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32"):
        JwtTokens("short", new_id=str)
