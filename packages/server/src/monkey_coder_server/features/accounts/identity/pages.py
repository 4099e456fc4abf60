"""The pages that links in mails lead to: `/verify-email`, `/reset-password`, and `/forgot-password`.

Opening a page does nothing: programs that look through mail open links too. Only the button does, by POST. No cookie is
read here: the token in the form is what counts.
"""

from functools import partial

from monkey_coder_server.domain.errors import Conflict, GatewayError, InvalidRequest
from monkey_coder_server.features.accounts import sessions
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.identity import addresses, links, passwords
from monkey_coder_server.features.accounts.identity.errands import Errands
from monkey_coder_server.features.accounts.policy import LONGEST_PASSWORD, SHORTEST_PASSWORD
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Endpoint, Route
from monkey_coder_server.web.forms import form_fields
from monkey_coder_server.web.pages import Pages
from monkey_coder_server.web.problem import status_of
from monkey_coder_server.web.request import Request

VERIFY, RESET, FORGOT = "/verify-email", "/reset-password", "/forgot-password"
_DIFFERENT = "The two passwords are not the same; type them again."


class MailedPages:
    """The pages, over one set of dependencies."""

    def __init__(self, use: Dependencies, errands: Errands) -> None:
        self._use = use
        self._errands = errands
        self._pages = Pages(__package__)

    def routes(self) -> tuple[Route, ...]:
        """Every page, and where its form leads."""
        pages: tuple[tuple[str, str, Endpoint], ...] = (
            ("GET", VERIFY, self.verify_page),
            ("POST", VERIFY, self.verify),
            ("GET", RESET, self.reset_page),
            ("POST", RESET, self.reset),
            ("GET", FORGOT, self.forgot_page),
            ("POST", FORGOT, self.forgot),
        )
        return tuple(
            Route(method, path, endpoint, auth="public", errors=self._pages.problem, page=True)
            for method, path, endpoint in pages
        )

    async def verify_page(self, request: Request) -> Reply:
        """Asks for a click."""
        return self._pages.show("verify.html", token=request.query.get("token", ""))

    async def verify(self, request: Request) -> Reply:
        """Confirm the address."""
        await self._count(request)
        fields = await form_fields(request)
        try:
            await addresses.confirm(self._use, request, fields.get("token", ""))
        except (InvalidRequest, Conflict) as refused:
            return self._said("Not confirmed", refused.message, status=status_of(refused))
        return self._said("Your address is confirmed", "You can close this page.", log_in=True)

    async def reset_page(self, request: Request) -> Reply:
        """Asks for a new password, if the link is still good."""
        token = request.query.get("token", "")
        try:
            await links.find(self._use, token, links.RESET)
        except InvalidRequest as refused:
            return self._said("Ask for another mail", refused.message, status=status_of(refused), again=True)
        return self._reset_form(token)

    async def reset(self, request: Request) -> Reply:
        """Set the new password."""
        await self._count(request)
        fields = await form_fields(request)
        token, password = fields.get("token", ""), fields.get("password", "")
        if password != fields.get("again", ""):
            return self._reset_form(token, InvalidRequest(_DIFFERENT))
        try:
            await passwords.reset(self._use, request, token=token, new_password=password)
        except InvalidRequest as refused:
            return self._reset_form(token, refused)
        return self._said("Your password is set", "Every session has ended. Log in with the new password.", log_in=True)

    async def forgot_page(self, _request: Request) -> Reply:
        """Asks for the address."""
        return self._pages.show("forgot.html", email="", refused="")

    async def forgot(self, request: Request) -> Reply:
        """Have a mail written, if somebody has the address."""
        email = (await form_fields(request)).get("email", "")
        try:
            await addresses.admit_mail(self._use, request, links.RESET, email)
        except InvalidRequest as refused:
            return self._pages.show("forgot.html", status=status_of(refused), email=email, refused=refused.message)
        self._errands.take(partial(passwords.ask_to_reset, self._use, request, email.strip()))
        return self._said(
            "Look at your mail", "If there is an account with this address, a link to set a new password is on its way."
        )

    async def _count(self, request: Request) -> None:
        await sessions.throttle(self._use, action="mailed token", client_ip=request.client_ip)

    def _reset_form(self, token: str, refused: GatewayError | None = None) -> Reply:
        return self._pages.show(
            "reset.html",
            status=status_of(refused) if refused is not None else 200,
            token=token,
            refused=refused.message if refused is not None else "",
            shortest=SHORTEST_PASSWORD,
            longest=LONGEST_PASSWORD,
        )

    def _said(self, title: str, message: str, *, status: int = 200, again: bool = False, log_in: bool = False) -> Reply:
        return self._pages.show("said.html", status=status, title=title, message=message, again=again, log_in=log_in)
