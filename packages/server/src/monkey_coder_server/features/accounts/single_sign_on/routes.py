"""`/v1/auth/oauth/{provider}/…`: there, back, and linked."""

import msgspec

from monkey_coder_protocol import sign_in as wire
from monkey_coder_protocol.auth import Message, TokenResponse
from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.accounts import sessions
from monkey_coder_server.features.accounts.answering import UNNAMED, enter
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import second_step
from monkey_coder_server.features.accounts.single_sign_on import flow
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.audited import entry_of
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_ONE = "/v1/auth/oauth/{provider}"
_answer = msgspec.json.Decoder(wire.SignInAnswer)
LONGEST = 4_096
"""Characters of what a provider sends along."""


class SignInRoutes:
    """The endpoints."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route of signing in elsewhere."""
        link = f"{_ONE}/link"
        return (
            Route("GET", f"{_ONE}/initiate", self.initiate, auth="public", gives=wire.SignInBegun),
            Route("GET", f"{_ONE}/callback", self.callback, auth="public", action="session.open", gives=TokenResponse),
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
        )

    async def initiate(self, request: Request) -> Reply:
        """Where to send a person who wants to sign in."""
        await sessions.throttle(self._use, action="oauth", client_ip=request.client_ip)
        return await self._begun(request, flow.SIGN_IN)

    async def callback(self, request: Request) -> Reply:
        """Tokens for who comes back from the provider, or what the second step needs."""
        await sessions.throttle(self._use, action="oauth", client_ip=request.client_ip)
        query, use = request.query, self._use
        provider = flow.provider_of(use, request.parameters["provider"])
        code, state = query.get("code", ""), query.get("state", "")
        if not 0 < len(code) <= LONGEST or not 0 < len(state) <= LONGEST:
            raise InvalidRequest("The provider sent nobody back: `code` and `state` are missing. Begin again.")
        identity = await flow.returned(use, provider, flow.SIGN_IN, wire.SignInAnswer(code=code, state=state))
        user = await flow.user_of(use, identity)
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
        user_id = request.principal.user_id
        identity = await flow.returned(use, provider, flow.LINK, wish, user_id)
        await use.identities.link(identity, user_id, use.clock.now())
        now = use.clock.now()
        await use.audit.record(entry_of(request, "identity.link", target=user_id, at=now, details=provider.name))
        return json_reply(Message(f"From now on {provider.name} opens this account."))

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
