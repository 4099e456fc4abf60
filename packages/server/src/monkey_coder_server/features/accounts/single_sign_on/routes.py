"""`/v1/auth/oauth/{provider}/…` and `/v1/auth/identities`: there, back, linked, and unlinked."""

from urllib.parse import urlencode

import msgspec

from monkey_coder_protocol import sign_in as wire
from monkey_coder_protocol.auth import Message, TokenResponse
from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.accounts import sessions
from monkey_coder_server.features.accounts.answering import UNNAMED, enter
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import second_step
from monkey_coder_server.features.accounts.identity.persons import person
from monkey_coder_server.features.accounts.single_sign_on import flow, linking
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import Response, json_reply

_ONE = "/v1/auth/oauth/{provider}"
_answer = msgspec.json.Decoder(wire.SignInAnswer)


class SignInRoutes:
    """The endpoints."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route of signing in elsewhere."""
        link = f"{_ONE}/link"
        return (
            Route("GET", f"{_ONE}/initiate", self.initiate, auth="public", gives=wire.SignInBegun),
            Route(
                "GET",
                f"{_ONE}/callback",
                self.callback,
                auth="public",
                action="session.open",
                gives=TokenResponse,
                redirects=True,
            ),
            Route(
                "POST",
                link,
                self.link,
                auth="session",
                action="identity.link",
                confirm=Action.IDENTITY,
                gives=wire.SignInBegun,
            ),
            Route(
                "POST",
                f"{link}/complete",
                self.complete,
                auth="session",
                action="identity.link",
                takes=wire.SignInAnswer,
                gives=Message,
            ),
            Route("GET", "/v1/auth/identities", self.identities, auth="session", gives=wire.IdentityList),
            Route(
                "DELETE",
                "/v1/auth/identities/{provider}",
                self.unlink,
                auth="session",
                action="identity.unlink",
                confirm=Action.IDENTITY,
                gives=Message,
            ),
        )

    async def initiate(self, request: Request) -> Reply:
        """Where to send a person who wants to sign in."""
        await sessions.throttle(self._use, action="oauth", client_ip=request.client_ip)
        return await self._begun(request, flow.SIGN_IN)

    async def callback(self, request: Request) -> Reply:
        """Tokens for who comes back from the provider, or what the second step needs; who left a page goes on there."""
        await sessions.throttle(self._use, action="oauth", client_ip=request.client_ip)
        query, use = request.query, self._use
        provider = flow.provider_of(use, request.parameters["provider"])
        code, state = query.get("code", ""), query.get("state", "")
        page = await flow.page_of(use, provider, state)
        if page is not None:
            location = f"{page}?{urlencode({'code': code, 'state': state})}"
            return Response(303, b"", [(b"location", location.encode("ascii"))])
        if not code or not 0 < len(state) <= flow.LONGEST:
            raise InvalidRequest(flow.NOBODY)
        left = await flow.returned(use, provider, flow.SIGN_IN, state)
        user = await flow.user_of(use, await flow.identity_of(use, provider, left, code))
        request.concerns = user.account_id
        if await use.factors.rules.asked_of(user.user_id):
            return json_reply(await second_step.begin(use, user, UNNAMED))
        return json_reply(await enter(use, request, user, UNNAMED))

    async def link(self, request: Request) -> Reply:
        """Where to send a person who wants to sign in that way from now on; they have just proved who they are."""
        return await self._begun(request, flow.LINK, request.principal.user_id)

    async def complete(self, request: Request) -> Reply:
        """Link the identity somebody came back with, in a session of who left."""
        wish, use = await json_body(request, _answer), self._use
        provider = flow.provider_of(use, request.parameters["provider"])
        user = await person(use, request)
        left = await flow.returned(use, provider, flow.LINK, wish.state, user.user_id)
        await linking.link(use, request, user, await flow.identity_of(use, provider, left, wish.code))
        return json_reply(Message(f"From now on {provider.name} opens this account."))

    async def unlink(self, request: Request) -> Reply:
        """Take an identity away."""
        user, provider = await person(self._use, request), request.parameters["provider"]
        session_id = request.principal.session_id or ""
        ended = await linking.unlink(self._use, request, user, provider, session_id=session_id)
        return json_reply(Message(f"{provider} opens this account no more; {ended} other sessions have ended."))

    async def identities(self, request: Request) -> Reply:
        """What opens the caller's account, and what could."""
        found = await self._use.identities.of_user(request.principal.user_id)
        listed = [wire.IdentityInfo(provider=each.provider, email=each.email) for each in found]
        return json_reply(wire.IdentityList(listed, list(self._use.sign_in)))

    async def _begun(self, request: Request, purpose: str, user_id: str = "") -> Reply:
        provider = flow.provider_of(self._use, request.parameters["provider"])
        address, state = await flow.begin(self._use, provider, purpose, user_id)
        seconds = int(flow.LIFETIME.total_seconds())
        return json_reply(wire.SignInBegun(authorization_url=address, state=state, expires_in=seconds, pkce=True))
