"""The page behind the link of an invitation: who invites to what; log in or register, then say yes or no."""

from collections.abc import Mapping

from monkey_coder_server.domain.errors import Conflict, GatewayError, InvalidRequest
from monkey_coder_server.domain.roles import SCOPES_OF, Role
from monkey_coder_server.domain.scopes import KEYS_MANAGE, covers
from monkey_coder_server.features.accounts import registration, sessions
from monkey_coder_server.features.accounts.cli_login.door import Door, Guest, login_for
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.noting import note, refuse
from monkey_coder_server.features.accounts.organizations import invitations
from monkey_coder_server.features.accounts.policy import LONGEST_NAME, LONGEST_PASSWORD, SHORTEST_PASSWORD
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.pages import see_other
from monkey_coder_server.web.problem import status_of
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import Response

MAY: Mapping[Role, str] = {
    Role.OWNER: "do everything, and make others owners",
    Role.ADMIN: "spend its credit, and manage people, teams, limits and keys",
    Role.BILLING: "buy credit, and see usage and invoices",
    Role.DEVELOPER: "spend its credit, with keys of your own",
    Role.VIEWER: "see its models, people, balance and usage",
}
"""What each role lets somebody do, in a few words."""


class InvitationPages:
    """The pages, over one set of dependencies. Opening one changes nothing: programs open links in mail, too."""

    def __init__(self, use: Dependencies, door: Door) -> None:
        self._use = use
        self._door = door

    def routes(self) -> tuple[Route, ...]:
        """The page, and where its forms lead."""
        return self._door.pages_of(
            ("GET", invitations.PAGE, self.page),
            ("POST", f"{invitations.PAGE}/register", self.register),
            ("POST", f"{invitations.PAGE}/answer", self.answer),
        )

    async def page(self, request: Request) -> Reply:
        """Who invites whom to what, and what to do next."""
        token = request.query.get("token", "")
        offered = await self._offered(request, token)
        return await self._show(request, offered, token, await self._door.guest(request))

    async def register(self, request: Request) -> Reply:
        """An account for the address the mail went to, which that mail confirms; nothing is accepted yet."""
        fields = await self._door.fields(request)
        token, name = fields.get("token", ""), fields.get("name", "")
        offered = await self._offered(request, token)
        try:
            await sessions.throttle(self._use, action="register", client_ip=request.client_ip)
            user = await self._newcomer(request, offered, name, fields.get("password", ""))
        except (Conflict, InvalidRequest) as refused:
            return await self._show(request, offered, token, None, name=name, refused=refused)
        return await self._door.let_in(request, user, address_of(token))

    async def answer(self, request: Request) -> Reply:
        """Yes or no."""
        fields = await self._door.fields(request)
        token, accepted = fields.get("token", ""), fields.get("answer") == "accept"
        offered = await self._offered(request, token)
        guest = await self._door.guest(request)
        if guest is None:
            return see_other(login_for(address_of(token)))
        action, use, terms = f"invitation.{'accept' if accepted else 'decline'}", self._use, offered.invitation.terms
        try:
            await (invitations.accept if accepted else invitations.decline)(use, guest.user.user_id, token)
        except GatewayError as refused:
            request.concerns = guest.user.account_id
            await refuse(use, request, action, refused)
            raise
        account_id = offered.organization.account_id
        target, details = terms.invitation_id, terms.role.value
        await note(use, request, guest.user, action, target=target, details=details, account_id=account_id)
        with_keys = covers(SCOPES_OF[terms.role], KEYS_MANAGE)
        return self._door.pages.show(
            "invitation_answered.html", accepted=accepted, organization=offered.organization, with_keys=with_keys
        )

    async def _offered(self, request: Request, token: str) -> invitations.Offer:
        await sessions.throttle(self._use, action="mailed token", client_ip=request.client_ip)
        return await invitations.offer(self._use, token)

    async def _newcomer(self, request: Request, offered: invitations.Offer, name: str, password: str) -> User:
        use, email = self._use, offered.invitation.terms.email
        user = await registration.register(use, email=email, password=password, name=name, plan=None)
        await use.accounts.set_email(user.user_id, user.email, verified_at=use.clock.now())
        await note(use, request, user, "email.verify", target=user.user_id, details="by an invitation")
        return user

    async def _show(  # noqa: PLR0913 - what a page shows, by name
        self,
        request: Request,
        offered: invitations.Offer,
        token: str,
        guest: Guest | None,
        *,
        name: str = "",
        refused: GatewayError | None = None,
    ) -> Response:
        terms, here = offered.invitation.terms, address_of(token)
        return self._door.show(
            request,
            "invitation.html",
            status=200 if refused is None else status_of(refused),
            offer=offered,
            may=MAY[terms.role],
            token=token,
            guest=guest,
            here=here,
            log_in=login_for(here),
            meant=guest is not None and invitations.meant(terms, guest.user),
            has_account=await self._use.accounts.by_email(terms.email) is not None,
            elsewhere=bool(self._use.sign_in),
            name=name,
            refused="" if refused is None else refused.message,
            longest_name=LONGEST_NAME,
            shortest=SHORTEST_PASSWORD,
            longest=LONGEST_PASSWORD,
        )


def address_of(token: str) -> str:
    """The page of an invitation."""
    return f"{invitations.PAGE}?token={token}"
