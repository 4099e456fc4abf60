"""The pages on which a person logs in and answers a command line: `/login`, `/logout`, `/device`, `/authorize`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from monkey_coder_protocol.factors import MfaVerifyRequest
from monkey_coder_server.domain import user_codes
from monkey_coder_server.domain.errors import InvalidCredentials, InvalidRequest, NotFound
from monkey_coder_server.domain.native_apps import origin_of
from monkey_coder_server.features.accounts import sessions
from monkey_coder_server.features.accounts.answering import UNNAMED
from monkey_coder_server.features.accounts.cli_login.device import DeviceLogins
from monkey_coder_server.features.accounts.cli_login.door import DEVICE, LOGIN, Door, following, login_for
from monkey_coder_server.features.accounts.cli_login.log_in_forms import LoginForms
from monkey_coder_server.features.accounts.cli_login.loopback import CodeLogins, read_request
from monkey_coder_server.features.accounts.cli_login.passkey_pages import credential_of
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import second_step
from monkey_coder_server.features.accounts.noting import note, refuse
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.pages import see_other
from monkey_coder_server.web.problem import status_of
from monkey_coder_server.web.request import Request

AUTHORIZE = "/authorize"
_IPV6 = "http://[::1]"


class LoginPages:
    """The pages, over one set of dependencies."""

    def __init__(
        self, use: Dependencies, door: Door, forms: LoginForms, devices: DeviceLogins, codes: CodeLogins
    ) -> None:
        self._use = use
        self._door = door
        self._forms = forms
        self._devices = devices
        self._codes = codes

    def routes(self) -> tuple[Route, ...]:
        """Every page, and where its form leads."""
        return self._door.pages_of(
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

    async def login_page(self, request: Request) -> Reply:
        """Address and password; who has just given them goes on at once."""
        leads = following(request.query.get("next"))
        if await self._door.guest(request) is not None:
            return see_other(leads)
        return await self._forms.log_in(request, leads)

    async def login(self, request: Request) -> Reply:
        """Begin a browser's session, under a new cookie whatever came."""
        fields = await self._door.fields(request)
        leads, email = following(fields.get("next")), fields.get("email", "")
        try:
            await sessions.throttle(self._use, action="login", client_ip=request.client_ip, account=email)
            user = await sessions.check_password(self._use, request, email=email, password=fields.get("password", ""))
        except InvalidCredentials as refused:
            await refuse(self._use, request, "session.open", refused)
            return await self._forms.log_in(request, leads, email=email, refused=refused)
        if await self._use.factors.rules.asked_of(user.user_id):
            begun = await second_step.begin(self._use, user, UNNAMED)
            return await self._forms.second_step(request, leads, begun.mfa_token)
        return await self._door.let_in(request, user, leads)

    async def second_step(self, request: Request) -> Reply:
        """The same, after a code of who has a second factor."""
        fields = await self._door.fields(request)
        leads, token = following(fields.get("next")), fields.get("mfa_token", "")
        try:
            await sessions.throttle(self._use, action="second step", client_ip=request.client_ip)
            wish = MfaVerifyRequest(mfa_token=token, **_proof(fields))
            begun = await second_step.finish(self._use, request, wish)
        except InvalidCredentials as refused:
            await refuse(self._use, request, "session.open", refused)
            return await self._forms.second_step(request, leads, token, refused)
        return await self._door.let_in(request, begun.user, leads, second_factor=True)

    async def logout(self, request: Request) -> Reply:
        """End the browser's session."""
        fields = await self._door.fields(request)
        user = await self._door.known(request)
        cookie = await self._door.browsers.close(request)
        if user is not None:
            await note(self._use, request, user, "session.end", details="browser")
        return see_other(login_for(following(fields.get("next"))), [cookie.header])

    async def device_page(self, request: Request) -> Reply:
        """Where a code is typed; one that came with the address is filled in, and asks all the same."""
        guest = await self._door.guest(request)
        typed = user_codes.read(request.query.get("user_code", "")) or ""
        if guest is None:
            return see_other(login_for(_device_address(typed)))
        return self._door.show(
            request, "device.html", guest=guest, user_code=typed, refused="", here=_device_address(typed)
        )

    async def device(self, request: Request) -> Reply:
        """Who asks, from where: the person compares and says yes or no."""
        fields = await self._door.fields(request)
        typed = fields.get("user_code", "")
        here = _device_address(user_codes.read(typed) or "")
        guest = await self._door.guest(request)
        if guest is None:
            return see_other(login_for(here))
        try:
            question = await self._devices.question(request, guest.user, typed)
        except NotFound as unknown:
            return self._door.show(
                request,
                "device.html",
                guest=guest,
                status=status_of(unknown),
                user_code=typed[:20],
                refused=unknown.message,
                here=DEVICE,
            )
        return self._door.show(request, "device_question.html", guest=guest, question=question, here=here)

    async def device_answer(self, request: Request) -> Reply:
        """The answer to a device code."""
        fields = await self._door.fields(request)
        approved = _approved(fields)
        typed = fields.get("user_code", "")
        guest = await self._door.guest(request)
        if guest is None:
            return see_other(login_for(_device_address(user_codes.read(typed) or "")))
        session_id = guest.session.session_id
        await self._devices.answer(request, guest.user, typed, session_id=session_id, approved=approved)
        return self._door.pages.show("answered.html", approved=approved)

    async def authorize_page(self, request: Request) -> Reply:
        """Whether a program on this computer may have a key."""
        wish = read_request(request.query)
        here = f"{AUTHORIZE}?{urlencode(wish.parameters())}"
        guest = await self._door.guest(request)
        if guest is None:
            return see_other(login_for(here))
        return self._door.show(
            request,
            "authorize.html",
            guest=guest,
            wish=wish,
            here=here,
            sends_to="http:" if wish.redirect_uri.startswith(_IPV6) else origin_of(wish.redirect_uri),
        )

    async def authorize(self, request: Request) -> Reply:
        """The answer; it goes back to the program through the browser."""
        fields = await self._door.fields(request)
        wish, approved = read_request(fields), _approved(fields)
        guest = await self._door.guest(request)
        if guest is None:
            return see_other(login_for(f"{AUTHORIZE}?{urlencode(wish.parameters())}"))
        if not approved:
            return see_other(await self._codes.deny(request, guest.user, wish))
        return see_other(await self._codes.approve(request, guest.user, wish, session_id=guest.session.session_id))


def _device_address(user_code: str) -> str:
    return f"{DEVICE}?user_code={user_code}" if user_code else DEVICE


def _approved(fields: Mapping[str, str]) -> bool:
    answer = fields.get("answer")
    if answer not in {"approve", "deny"}:
        raise InvalidRequest("Press one of the two buttons: nothing is approved without that.")
    return answer == "approve"


def _proof(fields: Mapping[str, str]) -> dict[str, Any]:
    """The second factor of a form: what a passkey answered, else a code."""
    return {"passkey": credential_of(fields)} if fields.get("credential") else {"code": fields.get("code", "")}
