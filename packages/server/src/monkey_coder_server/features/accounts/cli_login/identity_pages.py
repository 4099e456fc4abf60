"""What opens a person's account beside their password: `/identities`, where it is linked and taken away."""

from collections.abc import Mapping

from monkey_coder_server.domain.errors import (
    Conflict,
    GatewayError,
    InvalidCredentials,
    InvalidRequest,
    NotFound,
    Unavailable,
)
from monkey_coder_server.features.accounts import sessions
from monkey_coder_server.features.accounts.cli_login.door import IDENTITIES, Door, Guest, login_for
from monkey_coder_server.features.accounts.cli_login.provider_pages import REFUSALS, not_signed_in
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.noting import refuse
from monkey_coder_server.features.accounts.single_sign_on import flow, linking
from monkey_coder_server.ports.sign_in import SignInRefused
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.pages import see_other
from monkey_coder_server.web.problem import status_of
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import Response

LINK, REMOVE = "link", "remove"


class IdentityPages:
    """The pages, over one set of dependencies. Each change is asked for once more, with a code of who has a factor."""

    def __init__(self, use: Dependencies, door: Door) -> None:
        self._use = use
        self._door = door

    def routes(self) -> tuple[Route, ...]:
        """Every page, and where its form leads."""
        return self._door.pages_of(
            ("GET", IDENTITIES, self.list_page),
            ("POST", f"{IDENTITIES}/ask", self.ask),
            ("POST", f"{IDENTITIES}/answer", self.answer),
            ("GET", f"{IDENTITIES}/with/{{provider}}", self.arrive),
        )

    async def list_page(self, request: Request) -> Reply:
        """What is linked, and what could be."""
        guest = await self._door.guest(request)
        return see_other(login_for(IDENTITIES)) if guest is None else await self._list(request, guest)

    async def ask(self, request: Request) -> Reply:
        """Whether this is really wished."""
        fields = await self._door.fields(request)
        guest = await self._door.guest(request)
        if guest is None:
            return see_other(login_for(IDENTITIES))
        return await self._question(request, guest, fields)

    async def answer(self, request: Request) -> Reply:
        """Take an identity away, or send the browser to where one is to be linked."""
        fields = await self._door.fields(request)
        guest = await self._door.guest(request)
        if guest is None:
            return see_other(login_for(IDENTITIES))
        action = f"identity.{'unlink' if fields.get('wish') == REMOVE else 'link'}"
        try:
            await self._door.confirm(request, guest.user, fields.get("code", ""))
        except InvalidCredentials as refused:
            await refuse(self._use, request, action, refused)
            return await self._question(request, guest, fields, refused)
        try:
            if fields.get("wish") == REMOVE:
                return await self._removed(request, guest, fields.get("provider", ""))
            return await self._away(guest, fields.get("provider", ""))
        except (Conflict, NotFound, SignInRefused, Unavailable) as refused:
            await refuse(self._use, request, action, refused)
            return await self._list(request, guest, refused)

    async def arrive(self, request: Request) -> Reply:
        """Link who came back, in the session that left."""
        await sessions.throttle(self._use, action="oauth", client_ip=request.client_ip)
        use, provider = self._use, flow.provider_of(self._use, request.parameters["provider"])
        guest = await self._door.guest(request)
        if guest is None:
            return see_other(login_for(IDENTITIES))
        try:
            state, whose = request.query.get("state", ""), guest.session.session_id
            left = await flow.returned(use, provider, flow.LINK_HERE, state, whose)
            identity = await flow.identity_of(use, provider, left, request.query.get("code", ""))
            await linking.link(use, request, guest.user, identity)
        except REFUSALS as refused:
            await refuse(use, request, "identity.link", refused)
            told = InvalidCredentials(not_signed_in(provider)) if isinstance(refused, InvalidRequest) else refused
            return await self._list(request, guest, told)
        return see_other(IDENTITIES)

    async def _removed(self, request: Request, guest: Guest, provider: str) -> Response:
        await linking.unlink(self._use, request, guest.user, provider, session_id=guest.session.session_id)
        return see_other(IDENTITIES)

    async def _away(self, guest: Guest, named: str) -> Response:
        provider = flow.provider_of(self._use, named)
        address, _ = await flow.begin(self._use, provider, flow.LINK_HERE, guest.session.session_id)
        return self._door.pages.show("away.html", title=provider.title, address=address)

    async def _question(
        self, request: Request, guest: Guest, fields: Mapping[str, str], refused: GatewayError | None = None
    ) -> Response:
        provider, wish = fields.get("provider", ""), REMOVE if fields.get("wish") == REMOVE else LINK
        return self._door.show(
            request,
            "identity_question.html",
            status=200 if refused is None else status_of(refused),
            guest=guest,
            here=IDENTITIES,
            provider=provider,
            title=linking.title_of(self._use, provider),
            wish=wish,
            asks_code=await self._use.factors.rules.asked_of(guest.user.user_id),
            refused="" if refused is None else refused.message,
        )

    async def _list(self, request: Request, guest: Guest, refused: GatewayError | None = None) -> Response:
        linked = await self._use.identities.of_user(guest.user.user_id)
        there = {each.provider for each in linked}
        return self._door.show(
            request,
            "identities.html",
            status=200 if refused is None else status_of(refused),
            guest=guest,
            here=IDENTITIES,
            linked=[(each, linking.title_of(self._use, each.provider)) for each in linked],
            others=[each for each in self._use.sign_in.values() if each.name not in there],
            refused="" if refused is None else refused.message,
        )
