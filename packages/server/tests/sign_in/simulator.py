"""A provider people sign in with, as strict as a good one: it checks client, redirection, PKCE, and takes a code once.

It speaks OpenID Connect, and GitHub's dialect below `/login/oauth` and `/user`. `lie` makes it mistaken or malicious.
"""

import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CLIENT_ID, CLIENT_SECRET = "gateway", "a secret of the gateway's"
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
Claims = dict[str, Any]


@dataclass(slots=True)
class Simulator:
    """`person` is who is logged in at the provider. `forge` may write another token than the honest one."""

    issuer: str = ""
    person: Claims = field(default_factory=lambda: {"sub": "7", "email": "ada@example.org", "email_verified": True})
    lie: Claims = field(default_factory=dict)
    forge: Callable[[Claims], str] | None = None
    key_id: str = "k1"
    asked: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def consent(self, address: str) -> dict[str, str]:
        """What a person's browser is sent back with, after they said yes at an address."""
        query = dict(parse_qsl(urlsplit(address).query))
        assert query["client_id"] == CLIENT_ID
        assert query["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return {"code": code, "state": query["state"]}

    def redeemed(self, form: Any) -> dict[str, str] | None:
        """What a code was given for, once, to who proves that they asked for it."""
        query = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(
            b"="
        )
        good = (
            query is not None
            and form.get("client_id") == CLIENT_ID
            and form.get("client_secret") == CLIENT_SECRET
            and form.get("redirect_uri") == query["redirect_uri"]
            and challenge.decode() == query["code_challenge"]
        )
        return query if good else None

    def token(self, nonce: str) -> str:
        """An identity token for who is logged in."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": nonce, **self.person}
        claims = {name: value for name, value in {**claims, **self.lie}.items() if value is not None}
        if self.forge is not None:
            return self.forge(claims)
        return jwt.encode(claims, PRIVATE, algorithm="RS256", headers={"kid": self.key_id})


@asynccontextmanager
async def running() -> AsyncIterator[Simulator]:
    """One on a port of its own."""
    simulator = Simulator()
    application = web.Application()
    application.add_routes(_openid(simulator) + _github(simulator))
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    simulator.issuer = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield simulator
    finally:
        await runner.cleanup()


def _openid(simulator: Simulator) -> list[web.RouteDef]:
    async def discovery(_request: web.Request) -> web.Response:
        simulator.asked.append("discovery")
        facts = {
            "issuer": simulator.lie.get("issuer", simulator.issuer),
            "authorization_endpoint": f"{simulator.issuer}/authorize",
            "token_endpoint": f"{simulator.issuer}/token",
            "jwks_uri": f"{simulator.issuer}/keys",
        }
        return web.json_response(facts)

    async def keys(_request: web.Request) -> web.Response:
        jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(PRIVATE.public_key()))
        return web.json_response({"keys": [{**jwk, "kid": simulator.key_id, "use": "sig", "alg": "RS256"}]})

    async def moved(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"location": f"{simulator.issuer}/keys"})

    async def flood(_request: web.Request) -> web.Response:
        return web.json_response({"keys": "x" * 1_000_000})

    async def token(request: web.Request) -> web.Response:
        query = simulator.redeemed(await request.post())
        if query is None:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response({"access_token": "x", "id_token": simulator.token(query["nonce"])})

    return [
        web.get("/.well-known/openid-configuration", discovery),
        web.get("/keys", keys),
        web.post("/token", token),
        web.get("/moved", moved),
        web.get("/flood", flood),
    ]


def _github(simulator: Simulator) -> list[web.RouteDef]:
    def known(request: web.Request) -> bool:
        return request.headers.get("authorization") == "Bearer gho_good"

    async def token(request: web.Request) -> web.Response:
        if simulator.redeemed(await request.post()) is None:
            return web.json_response({"error": "bad_verification_code"})
        return web.json_response({"access_token": "gho_good", "token_type": "bearer"})

    async def user(request: web.Request) -> web.Response:
        return web.json_response(
            {"id": int(simulator.person["sub"]), "name": "Ada"}, status=200 if known(request) else 401
        )

    async def emails(request: web.Request) -> web.Response:
        mine = {"email": simulator.person["email"], "verified": simulator.person["email_verified"], "primary": True}
        others = {"email": "second@example.org", "verified": True, "primary": False}
        return web.json_response([others, mine], status=200 if known(request) else 401)

    return [
        web.post("/login/oauth/access_token", token),
        web.get("/user", user),
        web.get("/user/emails", emails),
    ]
