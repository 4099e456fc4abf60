"""Logging in a browser with an account elsewhere: away to the provider, and back."""

from monkey_coder_server.domain.errors import Conflict, GatewayError, InvalidCredentials, InvalidRequest, Unavailable
from monkey_coder_server.features.accounts import sessions
from monkey_coder_server.features.accounts.answering import UNNAMED
from monkey_coder_server.features.accounts.cli_login.door import LOGIN, Door, following
from monkey_coder_server.features.accounts.cli_login.log_in_forms import LoginForms
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import second_step
from monkey_coder_server.features.accounts.noting import refuse
from monkey_coder_server.features.accounts.single_sign_on import flow
from monkey_coder_server.ports.sign_in import SignInProvider, SignInRefused
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request

REFUSALS = (Conflict, InvalidCredentials, InvalidRequest, SignInRefused, Unavailable)
"""What may come of somebody who was at a provider, to be told on our page."""


class ProviderPages:
    """The pages, over one set of dependencies.

    What somebody comes back with is taken from the browser that left alone: nobody is logged in as somebody else by a
    link that was sent to them.
    """

    def __init__(self, use: Dependencies, door: Door, forms: LoginForms) -> None:
        self._use = use
        self._door = door
        self._forms = forms

    def routes(self) -> tuple[Route, ...]:
        """There and back."""
        page = f"{LOGIN}/with/{{provider}}"
        return self._door.pages_of(("POST", page, self.leave), ("GET", page, self.arrive))

    async def leave(self, request: Request) -> Reply:
        """Send the browser to the provider, by a page of ours: a policy on forms would stop it on the way."""
        fields = await self._door.fields(request)
        provider = await self._admitted(request)
        leads, mark = following(fields.get("next")), self._door.browsers.mark(request) or ""
        try:
            address, _ = await flow.begin(self._use, provider, flow.SIGN_IN_HERE, mark, following=leads)
        except (SignInRefused, Unavailable) as refused:
            return await self._forms.log_in(request, leads, refused=refused)
        return self._door.pages.show("away.html", title=provider.title, address=address)

    async def arrive(self, request: Request) -> Reply:
        """Let in whose identity came back, by way of their second factor where they have one."""
        provider, use = await self._admitted(request), self._use
        leads, mark = following(None), self._door.browsers.mark(request) or ""
        try:
            left = await flow.returned(use, provider, flow.SIGN_IN_HERE, request.query.get("state", ""), mark)
            leads = following(flow.following(use, left))
            user = await flow.user_of(use, await flow.identity_of(use, provider, left, request.query.get("code", "")))
        except REFUSALS as refused:
            return await self._refused(request, leads, provider, refused)
        request.concerns = user.account_id
        if await use.factors.rules.asked_of(user.user_id):
            begun = await second_step.begin(use, user, UNNAMED)
            return await self._forms.second_step(request, leads, begun.mfa_token)
        return await self._door.let_in(request, user, leads)

    async def _admitted(self, request: Request) -> SignInProvider:
        await sessions.throttle(self._use, action="oauth", client_ip=request.client_ip)
        return flow.provider_of(self._use, request.parameters["provider"])

    async def _refused(self, request: Request, leads: str, provider: SignInProvider, error: GatewayError) -> Reply:
        await refuse(self._use, request, "session.open", error)
        told = InvalidCredentials(not_signed_in(provider)) if isinstance(error, InvalidRequest) else error
        return await self._forms.log_in(request, leads, refused=told)


def not_signed_in(provider: SignInProvider) -> str:
    """What is said to who said no at the provider."""
    return f"You did not sign in with {provider.title}; try again, or choose another way."
