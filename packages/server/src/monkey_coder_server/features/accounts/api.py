"""`/v1/auth/*` and `/v1/keys`."""

from datetime import UTC, datetime
from functools import partial

import msgspec

from monkey_coder_protocol import auth as wire
from monkey_coder_protocol.factors import MfaRequired
from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.errors import NotAuthenticated
from monkey_coder_server.domain.scopes import KEYS_MANAGE
from monkey_coder_server.features.accounts import keys, registration, sessions
from monkey_coder_server.features.accounts.answering import Caller, enter, logged_in, refuse_key_without_factor
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import second_step
from monkey_coder_server.features.accounts.identity import Errands, ask_to_verify
from monkey_coder_server.features.accounts.key_caps import WantedCaps
from monkey_coder_server.features.accounts.user_shown import user_info
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.audited import entry_of, look_of
from monkey_coder_server.web.decode import json_body, kept_json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_register = msgspec.json.Decoder(wire.RegisterRequest)
_login = msgspec.json.Decoder(wire.LoginRequest)
_refresh = msgspec.json.Decoder(wire.RefreshRequest)


class _KeyWish(wire.CreateKeyRequest, kw_only=True):
    caps: WantedCaps | None = None


_create_key = msgspec.json.Decoder(_KeyWish)


class AccountRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies, errands: Errands) -> None:
        self._use = use
        self._errands = errands

    def routes(self) -> tuple[Route, ...]:
        """Every route of the feature."""
        managed = [("/v1/keys", "/v1/keys/{key_id}"), ("/v1/auth/keys", "/v1/auth/keys/{key_id}")]
        keys_routes = [
            route
            for many, one in managed
            for route in (
                Route("GET", many, self.list_keys, scope=KEYS_MANAGE, gives=wire.KeyList),
                Route(
                    "POST",
                    many,
                    self.create_key,
                    scope=KEYS_MANAGE,
                    once=True,
                    confirm=Action.KEYS,
                    action="key.create",
                    takes=wire.CreateKeyRequest,
                    gives=wire.CreatedKey,
                ),
                Route("DELETE", one, self.revoke_key, scope=KEYS_MANAGE, action="key.revoke", gives=wire.Message),
            )
        ]
        return (
            *[self._registering(path) for path in ("/v1/auth/register", "/v1/auth/signup")],
            Route(
                "POST",
                "/v1/auth/login",
                self.login,
                auth="public",
                once=True,
                admit=self.admit_login,
                action="session.open",
                takes=wire.LoginRequest,
                gives=wire.TokenResponse | MfaRequired,
            ),
            Route(
                "POST",
                "/v1/auth/refresh",
                self.refresh,
                auth="public",
                once=True,
                admit=self.admit_refresh,
                action="session.refresh",
                takes=wire.RefreshRequest,
                gives=wire.TokenResponse,
            ),
            Route("POST", "/v1/auth/logout", self.logout, enrolling=True, gives=wire.Message),
            Route("GET", "/v1/auth/status", self.status, auth="public", gives=wire.AuthStatus),
            *keys_routes,
        )

    def _registering(self, path: str) -> Route:
        return Route(
            "POST",
            path,
            self.register,
            auth="public",
            once=True,
            admit=self.admit_register,
            takes=wire.RegisterRequest,
            gives=wire.TokenResponse,
        )

    async def admit_register(self, request: Request) -> None:
        """Count a try to open an account. Raises `InvalidRequest`, `RateLimited`."""
        await kept_json_body(request, _register)
        await sessions.throttle(self._use, action="register", client_ip=request.client_ip)

    async def admit_login(self, request: Request) -> None:
        """Count a try to log in. Raises `InvalidRequest`, `RateLimited`."""
        wish = await kept_json_body(request, _login)
        await sessions.throttle(self._use, action="login", client_ip=request.client_ip, account=wish.email)

    async def admit_refresh(self, request: Request) -> None:
        """Count a try to refresh a session. Raises `InvalidRequest`, `RateLimited`."""
        await kept_json_body(request, _refresh)
        await sessions.throttle(self._use, action="refresh", client_ip=request.client_ip)

    async def register(self, request: Request) -> Reply:
        """A new account, logged in."""
        wish = await json_body(request, _register)
        refuse_key_without_factor(self._use, request, second_factor=False)
        user = await registration.register(
            self._use, email=wish.email, password=wish.password, name=wish.name, plan=wish.plan
        )
        self._errands.take(partial(ask_to_verify, self._use, user.email))
        tokens = await sessions.open_session(self._use, user, request)
        return json_reply(await logged_in(self._use, request, user, tokens))

    async def login(self, request: Request) -> Reply:
        """Tokens for an address and password, or what the second step needs; for a command line a key too."""
        wish = await json_body(request, _login)
        user = await sessions.check_password(self._use, request, email=wish.email, password=wish.password)
        caller = Caller(wish.client, wish.host)
        if await self._use.factors.rules.asked_of(user.user_id):
            return json_reply(await second_step.begin(self._use, user, caller))
        return json_reply(await enter(self._use, request, user, caller))

    async def refresh(self, request: Request) -> Reply:
        """The next tokens for a refresh token."""
        wish = await json_body(request, _refresh)
        user, tokens = await sessions.refresh_session(self._use, wish.refresh_token)
        refuse_key_without_factor(self._use, request, second_factor=tokens.second_factor)
        return json_reply(await logged_in(self._use, request, user, tokens))

    async def logout(self, request: Request) -> Reply:
        """End the session, or revoke the key a command line got by logging in."""
        principal = request.principal
        if principal.session_id is not None:
            await self._use.sessions.revoke(principal.session_id)
            now = self._use.clock.now()
            await self._use.audit.record(entry_of(request, "session.end", target=principal.session_id, at=now))
            return json_reply(wire.Message("You are logged out."))
        if principal.key is not None and keys.made_by_login(principal.key):
            await keys.revoke_key(self._use, request, principal.key.key_id)
            return json_reply(wire.Message("You are logged out; the key of this log-in was revoked."))
        return json_reply(wire.Message("An API key has no session to end; revoke it with DELETE /v1/keys/{key_id}."))

    async def status(self, request: Request) -> Reply:
        """Who the caller is; anonymous callers are told so, with status 200."""
        principal = await self._use.authenticator.identify(request)
        if principal.anonymous:
            return json_reply(wire.AuthStatus(authenticated=False))
        if principal.impersonator:  # no route that asks for a credential, which would tell of it
            request.principal = principal
            await self._use.audit.record(look_of(request, self._use.clock.now()))
        user = await self._use.accounts.by_id(principal.user_id)
        if user is None:
            raise NotAuthenticated("The account of this credential no longer exists.")
        expires: datetime | None = None
        if principal.session_expires is not None:
            expires = datetime.fromtimestamp(principal.session_expires, UTC)
        elif principal.key is not None:
            expires = principal.key.expires_at
        return json_reply(
            wire.AuthStatus(
                authenticated=True,
                user=await user_info(self._use, user),
                session_expires=expires.isoformat() if expires is not None else None,
            )
        )

    async def list_keys(self, request: Request) -> Reply:
        """The account's keys that are the caller's to manage, revoked ones included."""
        shown = await keys.list_keys(self._use, request.principal)
        return json_reply(wire.KeyList(shown, len(shown)))

    async def create_key(self, request: Request) -> Reply:
        """A new key; its secret is in this answer only."""
        wish = await json_body(request, _create_key)
        return json_reply(keys.created_key(await keys.make_wished(self._use, request, wish)))

    async def revoke_key(self, request: Request) -> Reply:
        """Revoke one key."""
        await keys.revoke_key(self._use, request, request.parameters["key_id"])
        return json_reply(wire.Message("The key was revoked."))
