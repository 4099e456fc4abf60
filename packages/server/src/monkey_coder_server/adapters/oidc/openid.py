"""OpenID Connect: discovery, authorization code with PKCE, and an identity token that is checked in every claim.

Sources: OpenID Connect Core 1.0 sections 3.1.3.7 and 5.1, Discovery 1.0 section 4.3, RFC 7636.
"""

import hmac
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt

from monkey_coder_server.adapters.oidc.fetching import Fetching, checked, text_of
from monkey_coder_server.ports.sign_in import Asked, Identity, Returned, SignInRefused

ALGORITHMS = ("RS256", "ES256")
"""Signatures with a public key only: no secret of ours signs an identity."""
LEEWAY_SECONDS = 60
KNOWN_FOR = 3_600
"""Seconds for which a provider's addresses and keys are believed to stay."""
ASKED_AGAIN_AFTER = 60
"""Seconds between two looks for a key that is not known."""
_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]
_TITLES = {"google": "Google"}
"""What people call a provider; any other by the host of its issuer."""
_UNBELIEVABLE = "The sign-in provider's identity token is not to be believed; begin again."


@dataclass(frozen=True, slots=True)
class OpenIdClient:
    """What the provider knows us by."""

    issuer: str
    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class _Known:
    facts: Any
    keys: dict[str, jwt.PyJWK]
    at: float


class OpenIdSignIn:
    """`ports.sign_in.SignInProvider`."""

    def __init__(self, name: str, client: OpenIdClient, fetching: Fetching) -> None:
        self.name = name
        self.title = _TITLES.get(name) or urlsplit(client.issuer).hostname or name
        self._client = client
        self._fetching = fetching
        self._known: _Known | None = None

    async def address(self, asked: Asked) -> str:
        """Where to send the person. Raises `SignInRefused`, `Unavailable`."""
        known = await self._look(KNOWN_FOR)
        query = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": asked.redirect_uri,
            "scope": "openid email profile",
            "state": asked.state,
            "nonce": asked.nonce,
            "code_challenge": asked.challenge,
            "code_challenge_method": "S256",
        }
        return f"{checked(text_of(known.facts, 'authorization_endpoint'))}?{urlencode(query)}"

    async def identity(self, returned: Returned) -> Identity:
        """Who came back. Raises `SignInRefused`, `Unavailable`."""
        known, client = await self._look(KNOWN_FOR), self._client
        form = {
            "grant_type": "authorization_code",
            "code": returned.code,
            "redirect_uri": returned.redirect_uri,
            "code_verifier": returned.verifier,
            "client_id": client.client_id,
            "client_secret": client.client_secret,
        }
        answer = await self._fetching.post(text_of(known.facts, "token_endpoint"), form)
        claims = await self._believed(text_of(answer, "id_token"), returned.nonce)
        verified = claims.get("email_verified") is True
        return Identity(self.name, claims["sub"], text_of(claims, "email") if verified else "", text_of(claims, "name"))

    async def _believed(self, token: str, nonce: str) -> Any:
        """The claims of a token that is this provider's, for us, for this sign-in and for now."""
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._client.client_id,
                issuer=self._client.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": _REQUIRED},
            )
        except jwt.PyJWTError as wrong:
            raise SignInRefused(_UNBELIEVABLE) from wrong
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        for_others = claims.get("azp", self._client.client_id) != self._client.client_id
        mine = hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode())
        if for_others or (several and "azp" not in claims) or not mine or not claims["sub"]:
            raise SignInRefused(_UNBELIEVABLE)
        return claims

    async def _key(self, key_id: Any) -> jwt.PyJWK:
        for oldest in (KNOWN_FOR, ASKED_AGAIN_AFTER):  # a provider that turns its keys signs with one not seen yet
            known = await self._look(oldest)
            if isinstance(key_id, str) and key_id in known.keys:
                return known.keys[key_id]
        raise SignInRefused(_UNBELIEVABLE)

    async def _look(self, oldest: float) -> _Known:
        """The provider's addresses and keys, asked for anew when they are older than so many seconds."""
        now = time.monotonic()
        if self._known is None or now - self._known.at > oldest:
            issuer = self._client.issuer
            facts = await self._fetching.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if text_of(facts, "issuer") != issuer:
                raise SignInRefused("The sign-in provider calls itself by another name than the one that is set.")
            found = await self._fetching.get(text_of(facts, "jwks_uri"))
            self._known = _Known(facts, _signing_keys(found), now)
        return self._known


def _signing_keys(found: Any) -> dict[str, jwt.PyJWK]:
    """The keys for signatures we take, by their ids; others are passed over."""
    keys = {}
    for each in found.get("keys", []) if isinstance(found, dict) else []:
        if text_of(each, "kty") in {"RSA", "EC"} and text_of(each, "use") in {"", "sig"} and text_of(each, "kid"):
            try:
                keys[each["kid"]] = jwt.PyJWK(each, None if "alg" in each else _usual(each))
            except jwt.PyJWTError:
                continue
    return {key_id: key for key_id, key in keys.items() if key.algorithm_name in ALGORITHMS}


def _usual(key: Any) -> str:
    return "RS256" if key["kty"] == "RSA" else "ES256"
