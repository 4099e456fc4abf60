"""Passkeys in the browser: a log-in with one alone, a page where one is made. Their script asks only the browser."""

from collections.abc import Mapping
from importlib.resources import files

import msgspec

from monkey_coder_protocol.factors import PasskeyOptions, PasskeyRegistration
from monkey_coder_server.domain.confirmation import SecondFactors
from monkey_coder_server.domain.errors import Forbidden, GatewayError, InvalidCredentials, InvalidRequest
from monkey_coder_server.features.accounts import sessions
from monkey_coder_server.features.accounts.cli_login.door import LOGIN, PASSKEYS, Door, Guest, following, login_for
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import passkeys, recovery
from monkey_coder_server.features.accounts.notices import note_and_tell
from monkey_coder_server.features.accounts.noting import refuse
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.pages import see_other
from monkey_coder_server.web.problem import status_of
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import Response, encode_json

SCRIPT = files(__package__).joinpath("templates/passkey.js").read_text(encoding="utf-8")
_credential = msgspec.json.Decoder(dict[str, object])
_OFF = "Second factors are switched off at this gateway."
_NOT_MADE = "The passkey was not made in time, or not for this page; try again."


class PasskeyPages:
    """The pages, over one set of dependencies."""

    def __init__(self, use: Dependencies, door: Door) -> None:
        self._use = use
        self._door = door

    def routes(self) -> tuple[Route, ...]:
        """Every page, and where its form leads."""
        return self._door.pages_of(
            ("POST", f"{LOGIN}/passkey", self.login_page),
            ("POST", f"{LOGIN}/passkey/answer", self.login),
            ("GET", PASSKEYS, self.list_page),
            ("POST", PASSKEYS, self.make_page),
            ("POST", f"{PASSKEYS}/answer", self.make),
        )

    async def login_page(self, request: Request) -> Reply:
        """Ask the browser for any passkey it has for this gateway."""
        fields = await self._admitted(request)
        return await self._login_form(request, following(fields.get("next")))

    async def login(self, request: Request) -> Reply:
        """Let in whose passkey answered."""
        fields = await self._admitted(request)
        leads = following(fields.get("next"))
        try:
            user = await passkeys.log_in(self._use, request, credential_of(fields))
        except InvalidCredentials as refused:
            await refuse(self._use, request, "session.open", refused)
            return await self._login_form(request, leads, refused)
        return await self._door.let_in(request, user, leads, second_factor=True)

    async def list_page(self, request: Request) -> Reply:
        """The person's passkeys, and a form for one more."""
        guest = await self._guest(request)
        return see_other(login_for(PASSKEYS)) if guest is None else await self._list(request, guest)

    async def make_page(self, request: Request) -> Reply:
        """Ask the browser to make one; who has a factor already gives a code with this very wish."""
        fields = await self._door.fields(request)
        guest = await self._guest(request)
        if guest is None:
            return see_other(login_for(PASSKEYS))
        name = passkeys.checked_name(fields.get("name", "") or passkeys.DEFAULT_NAME)
        try:
            await self._door.confirm(request, guest.user, fields.get("code", ""))
        except InvalidCredentials as refused:
            await refuse(self._use, request, "factor.passkey.enroll", refused)
            return await self._list(request, guest, refused)
        options = await passkeys.enrolment(self._use, guest.user, guest.session.session_id)
        return self._door.show(request, "passkey_make.html", script=SCRIPT, options=json_of(options), name=name)

    async def make(self, request: Request) -> Reply:
        """Keep what the browser made: it answers a challenge of this session, given after the code."""
        fields = await self._door.fields(request)
        guest = await self._guest(request)
        if guest is None:
            return see_other(login_for(PASSKEYS))
        wish = PasskeyRegistration(credential=credential_of(fields), name=fields.get("name"))
        made = await passkeys.add(self._use, guest.user, guest.session.session_id, wish)
        if made is None:
            return await self._list(request, guest, InvalidCredentials(_NOT_MADE))
        await self._use.sessions.confirm(guest.session.session_id, self._use.clock.now(), second_factor=True)
        told = {"target": made.passkey_id, "details": made.name, "about": made.name}
        await note_and_tell(self._use, request, guest.user, "factor.passkey.add", **told)
        left = await self._use.factors.store.recovery_codes(guest.user.user_id)
        codes = [] if left else await recovery.make(self._use, guest.user)
        return self._door.show(request, "passkey_made.html", name=made.name, codes=codes)

    async def _admitted(self, request: Request) -> dict[str, str]:
        fields = await self._door.fields(request)
        self._refuse_off()
        await sessions.throttle(self._use, action="second step", client_ip=request.client_ip)
        return fields

    async def _guest(self, request: Request) -> Guest | None:
        self._refuse_off()
        return await self._door.guest(request, enrolling=True)

    async def _login_form(self, request: Request, leads: str, refused: GatewayError | None = None) -> Response:
        options = await passkeys.asked(self._use, passkeys.LOGIN, None)
        return self._door.show(
            request,
            "passkey_login.html",
            status=200 if refused is None else status_of(refused),
            script=SCRIPT,
            options=json_of(options),
            following=leads,
            refused="" if refused is None else refused.message,
        )

    async def _list(self, request: Request, guest: Guest, refused: GatewayError | None = None) -> Response:
        return self._door.show(
            request,
            "passkeys.html",
            status=200 if refused is None else status_of(refused),
            guest=guest,
            here=PASSKEYS,
            demanded=not guest.session.second_factor and self._use.factors.rules.mode is SecondFactors.REQUIRED,
            known=await self._use.factors.store.passkeys(guest.user.user_id),
            asks_code=await self._use.factors.rules.asked_of(guest.user.user_id),
            refused="" if refused is None else refused.message,
        )

    def _refuse_off(self) -> None:
        if self._use.factors.rules.mode is SecondFactors.OFF:
            raise Forbidden(_OFF)


def credential_of(fields: Mapping[str, str]) -> dict[str, object]:
    """What the script put into the form. Raises `InvalidRequest`."""
    try:
        return _credential.decode(fields.get("credential", ""))
    except msgspec.MsgspecError as wrong:
        raise InvalidRequest(
            "The browser gave no passkey; allow scripts on this page, or log in another way."
        ) from wrong


def json_of(options: PasskeyOptions) -> str:
    """Options as the script reads them."""
    return encode_json(options.options).decode()
