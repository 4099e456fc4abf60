"""The pages on which a person logs in and answers a command line: `/login`, `/logout`, `/device`, `/authorize`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from monkey_coder_protocol.factors import MfaVerifyRequest
from monkey_coder_server.domain import user_codes
from monkey_coder_server.domain.errors import GatewayError, InvalidCredentials, InvalidRequest, NotFound
from monkey_coder_server.domain.native_apps import origin_of
from monkey_coder_server.features.accounts import sessions
from monkey_coder_server.features.accounts.answering import UNNAMED, refuse_without_factor
from monkey_coder_server.features.accounts.cli_login.device import DeviceLogins
from monkey_coder_server.features.accounts.cli_login.loopback import CodeLogins, read_request
from monkey_coder_server.features.accounts.cli_login.notes import note, refuse
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import second_step
from monkey_coder_server.ports.accounts import Session, User
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.browser import BrowserParts, Browsers
from monkey_coder_server.web.feature import Endpoint, Route
from monkey_coder_server.web.forms import form_fields
from monkey_coder_server.web.pages import Pages, see_other
from monkey_coder_server.web.problem import status_of
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import Response

FRESH = timedelta(minutes=10)
"""How long after they proved who they are a person may hand out a key; later they prove it again."""
DEVICE, AUTHORIZE, LOGIN = "/device", "/authorize", "/login"
_NEXT = re.compile(r"/(?:device|authorize)(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)?", re.ASCII)
_IPV6 = "http://[::1]"


@dataclass(frozen=True, slots=True)
class _Guest:
    """A person whose browser has proved lately that it is theirs."""

    session: Session
    user: User


class LoginPages:
    """The pages, over one set of dependencies."""

    def __init__(self, use: Dependencies, devices: DeviceLogins, codes: CodeLogins) -> None:
        self._use = use
        self._devices = devices
        self._codes = codes
        self._pages = Pages(__package__)
        parts = BrowserParts(use.sessions, use.clock, use.ids, use.successor, use.random_text)
        self._browsers = Browsers(parts, base_url=use.base_url)

    def routes(self) -> tuple[Route, ...]:
        """Every page, and where its form leads."""
        pages: tuple[tuple[str, str, Endpoint], ...] = (
            ("GET", LOGIN, self.login_page),
            ("POST", LOGIN, self.login),
            ("POST", f"{LOGIN}/second", self.second_step),
            ("POST", "/logout", self.logout),
            ("GET", DEVICE, self.device_page),
            ("POST", DEVICE, self.device),
            ("POST", f"{DEVICE}/answer", self.device_answer),
            ("GET", AUTHORIZE, self.authorize_page),
            ("POST", AUTHORIZE, self.authorize),
        )
        return tuple(
            Route(method, path, endpoint, auth="public", errors=self._pages.problem, page=True)
            for method, path, endpoint in pages
        )

    async def login_page(self, request: Request) -> Reply:
        """Address and password; who has just given them goes on at once."""
        following = _following(request.query.get("next"))
        if await self._guest(request) is not None:
            return see_other(following)
        return await self._login_form(request, following)

    async def login(self, request: Request) -> Reply:
        """Begin a browser's session, under a new cookie whatever came."""
        fields = await self._fields(request)
        following, email = _following(fields.get("next")), fields.get("email", "")
        try:
            await sessions.throttle(self._use, action="login", client_ip=request.client_ip, account=email)
            user = await sessions.check_password(self._use, request, email=email, password=fields.get("password", ""))
        except InvalidCredentials as refused:
            await refuse(self._use, request, "session.open", refused)
            return await self._login_form(request, following, email=email, refused=refused)
        if await self._use.factors.rules.asked_of(user.user_id):
            begun = await second_step.begin(self._use, user, UNNAMED)
            return self._second_step_form(request, following, begun.mfa_token)
        return await self._opened(request, user, following)

    async def second_step(self, request: Request) -> Reply:
        """The same, after a code of who has a second factor."""
        fields = await self._fields(request)
        following, token = _following(fields.get("next")), fields.get("mfa_token", "")
        try:
            await sessions.throttle(self._use, action="second step", client_ip=request.client_ip)
            wish = MfaVerifyRequest(mfa_token=token, code=fields.get("code", ""))
            begun = await second_step.finish(self._use, request, wish)
        except InvalidCredentials as refused:
            await refuse(self._use, request, "session.open", refused)
            return self._second_step_form(request, following, token, refused)
        return await self._opened(request, begun.user, following, second_factor=True)

    async def logout(self, request: Request) -> Reply:
        """End the browser's session."""
        fields = await self._fields(request)
        user = await self._user(await self._browsers.session(request))
        cookie = await self._browsers.close(request)
        if user is not None:
            await note(self._use, request, user, "session.end", "browser")
        return see_other(_login_for(_following(fields.get("next"))), [cookie.header])

    async def device_page(self, request: Request) -> Reply:
        """Where a code is typed; one that came with the address is filled in, and asks all the same."""
        guest = await self._guest(request)
        typed = user_codes.read(request.query.get("user_code", "")) or ""
        if guest is None:
            return see_other(_login_for(_device_address(typed)))
        return self._show(request, "device.html", guest=guest, user_code=typed, refused="", here=_device_address(typed))

    async def device(self, request: Request) -> Reply:
        """Who asks, from where: the person compares and says yes or no."""
        fields = await self._fields(request)
        typed = fields.get("user_code", "")
        here = _device_address(user_codes.read(typed) or "")
        guest = await self._guest(request)
        if guest is None:
            return see_other(_login_for(here))
        try:
            question = await self._devices.question(request, guest.user, typed)
        except NotFound as unknown:
            return self._show(
                request,
                "device.html",
                guest=guest,
                status=status_of(unknown),
                user_code=typed[:20],
                refused=unknown.message,
                here=DEVICE,
            )
        return self._show(request, "device_question.html", guest=guest, question=question, here=here)

    async def device_answer(self, request: Request) -> Reply:
        """The answer to a device code."""
        fields = await self._fields(request)
        approved = _approved(fields)
        typed = fields.get("user_code", "")
        guest = await self._guest(request)
        if guest is None:
            return see_other(_login_for(_device_address(user_codes.read(typed) or "")))
        await self._devices.answer(request, guest.user, typed, approved=approved)
        return self._pages.show("answered.html", approved=approved)

    async def authorize_page(self, request: Request) -> Reply:
        """Whether a program on this computer may have a key."""
        wish = read_request(request.query)
        here = f"{AUTHORIZE}?{urlencode(wish.parameters())}"
        guest = await self._guest(request)
        if guest is None:
            return see_other(_login_for(here))
        return self._show(
            request,
            "authorize.html",
            guest=guest,
            wish=wish,
            here=here,
            sends_to="http:" if wish.redirect_uri.startswith(_IPV6) else origin_of(wish.redirect_uri),
        )

    async def authorize(self, request: Request) -> Reply:
        """The answer; it goes back to the program through the browser."""
        fields = await self._fields(request)
        wish, approved = read_request(fields), _approved(fields)
        guest = await self._guest(request)
        if guest is None:
            return see_other(_login_for(f"{AUTHORIZE}?{urlencode(wish.parameters())}"))
        settle = self._codes.approve if approved else self._codes.deny
        return see_other(await settle(request, guest.user, wish))

    async def _fields(self, request: Request) -> dict[str, str]:
        fields = await form_fields(request)
        self._browsers.check_form(request, fields)
        return fields

    async def _guest(self, request: Request) -> _Guest | None:
        session = await self._browsers.session(request)
        user = await self._user(session)
        if session is None or user is None or session.confirmed_at is None:
            return None
        if self._use.clock.now() - session.confirmed_at > FRESH:
            return None
        refuse_without_factor(self._use, second_factor=session.second_factor)
        return _Guest(session, user)

    async def _opened(self, request: Request, user: User, following: str, *, second_factor: bool = False) -> Response:
        refuse_without_factor(self._use, second_factor=second_factor)
        _, cookie = await self._browsers.open(request, user.user_id, second_factor=second_factor)
        await note(self._use, request, user, "session.open", "browser, second factor" if second_factor else "browser")
        return see_other(following, [cookie.header])

    def _second_step_form(
        self, request: Request, following: str, mfa_token: str, refused: GatewayError | None = None
    ) -> Response:
        return self._show(
            request,
            "second_step.html",
            status=200 if refused is None else status_of(refused),
            following=following,
            mfa_token=mfa_token,
            refused="" if refused is None else refused.message,
        )

    async def _user(self, session: Session | None) -> User | None:
        return None if session is None else await self._use.accounts.by_id(session.user_id)

    async def _login_form(
        self, request: Request, following: str, *, email: str = "", refused: GatewayError | None = None
    ) -> Response:
        known = await self._user(await self._browsers.session(request))
        return self._show(
            request,
            "login.html",
            status=200 if refused is None else status_of(refused),
            following=following,
            known=known is not None,
            email=email or (known.email if known is not None else ""),
            refused="" if refused is None else refused.message,
        )

    def _show(
        self, request: Request, template: str, *, status: int = 200, sends_to: str = "", **values: Any
    ) -> Response:
        token, cookies = self._browsers.visit(request)
        return self._pages.show(
            template, status=status, headers=list(cookies), sends_to=sends_to, form_token=token, **values
        )


def _following(wanted: str | None) -> str:
    """Where a log-in leads: to one of our own pages, whatever was asked for."""
    return wanted if wanted is not None and _NEXT.fullmatch(wanted) else DEVICE


def _login_for(page: str) -> str:
    return f"{LOGIN}?next={quote(page, safe='')}"


def _device_address(user_code: str) -> str:
    return f"{DEVICE}?user_code={user_code}" if user_code else DEVICE


def _approved(fields: Mapping[str, str]) -> bool:
    answer = fields.get("answer")
    if answer not in {"approve", "deny"}:
        raise InvalidRequest("Press one of the two buttons: nothing is approved without that.")
    return answer == "approve"
