"""`/v1/auth/mfa/*` and `/v1/auth/confirm`."""

import msgspec

from monkey_coder_protocol import auth
from monkey_coder_protocol import factors as wire
from monkey_coder_server.domain.confirmation import Action, SecondFactors
from monkey_coder_server.domain.errors import Forbidden, InvalidCredentials, NotAuthenticated, NotFound
from monkey_coder_server.features.accounts import sessions
from monkey_coder_server.features.accounts.answering import Caller, enter
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import confirming, passkeys, proof, recovery, second_step, totp
from monkey_coder_server.features.accounts.notices import note_and_tell
from monkey_coder_server.features.accounts.noting import note
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

MFA = "/v1/auth/mfa"
_verify = msgspec.json.Decoder(wire.MfaVerifyRequest)
_totp_confirm = msgspec.json.Decoder(wire.TotpConfirmRequest)
_registration = msgspec.json.Decoder(wire.PasskeyRegistration)
_name = msgspec.json.Decoder(wire.PasskeyName)
_mfa_token = msgspec.json.Decoder(wire.MfaTokenRequest)
_passkey_login = msgspec.json.Decoder(wire.PasskeyLogin)
_confirm = msgspec.json.Decoder(wire.ConfirmRequest)
_confirm_options = msgspec.json.Decoder(wire.ConfirmOptionsRequest)
_OFF = "This gateway has no second factors; ask its operator to switch them on with MFA_ENABLED."
_WRONG_CODE = "The code is not right; check that the clock of your device is, and send the next code."
_NOT_MADE = "This passkey was not made for what this session asked for, or too late; begin again."


class FactorRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route of second factors and confirmations."""
        return (*self._code_routes(), *self._passkey_routes(), *self._public_routes(), *self._confirm_routes())

    def _code_routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", MFA, self.status, auth="session", enrolling=True, gives=wire.MfaStatus),
            Route(
                "POST",
                f"{MFA}/totp/enroll",
                self.begin_totp,
                auth="session",
                once=True,
                gives=wire.TotpEnrolment,
                confirm=Action.FACTORS,
                enrolling=True,
                action="factor.totp.enroll",
            ),
            Route(
                "POST",
                f"{MFA}/totp/confirm",
                self.finish_totp,
                auth="session",
                once=True,
                takes=wire.TotpConfirmRequest,
                gives=wire.RecoveryCodes,
                enrolling=True,
                action="factor.totp.add",
            ),
            Route(
                "DELETE",
                f"{MFA}/totp",
                self.remove_totp,
                auth="session",
                gives=auth.Message,
                confirm=Action.FACTORS,
                action="factor.totp.remove",
            ),
            Route(
                "POST",
                f"{MFA}/recovery-codes",
                self.make_recovery_codes,
                auth="session",
                once=True,
                gives=wire.RecoveryCodes,
                confirm=Action.FACTORS,
                action="factor.recovery_codes.make",
            ),
        )

    def _passkey_routes(self) -> tuple[Route, ...]:
        many, one = f"{MFA}/passkeys", f"{MFA}/passkeys/{{passkey_id}}"
        return (
            Route("GET", many, self.list_passkeys, auth="session", enrolling=True, gives=wire.PasskeyList),
            Route(
                "POST",
                f"{many}/register/options",
                self.begin_passkey,
                auth="session",
                once=True,
                gives=wire.PasskeyOptions,
                confirm=Action.FACTORS,
                enrolling=True,
                action="factor.passkey.enroll",
            ),
            Route(
                "POST",
                f"{many}/register",
                self.finish_passkey,
                auth="session",
                once=True,
                takes=wire.PasskeyRegistration,
                gives=wire.AddedPasskey,
                enrolling=True,
                action="factor.passkey.add",
            ),
            Route(
                "PATCH",
                one,
                self.rename_passkey,
                auth="session",
                takes=wire.PasskeyName,
                gives=auth.Message,
                action="factor.passkey.rename",
            ),
            Route(
                "DELETE",
                one,
                self.remove_passkey,
                auth="session",
                gives=auth.Message,
                confirm=Action.FACTORS,
                action="factor.passkey.remove",
            ),
        )

    def _public_routes(self) -> tuple[Route, ...]:
        return (
            Route(
                "POST",
                f"{MFA}/verify",
                self.verify,
                auth="public",
                once=True,
                admit=self.admit,
                takes=wire.MfaVerifyRequest,
                gives=auth.TokenResponse,
                action="session.open",
            ),
            Route(
                "POST",
                f"{MFA}/passkeys/options",
                self.second_step_options,
                auth="public",
                once=True,
                admit=self.admit,
                takes=wire.MfaTokenRequest,
                gives=wire.PasskeyOptions,
            ),
            Route(
                "POST",
                f"{MFA}/passkeys/login/options",
                self.login_options,
                auth="public",
                once=True,
                admit=self.admit,
                gives=wire.PasskeyOptions,
            ),
            Route(
                "POST",
                f"{MFA}/passkeys/login",
                self.login,
                auth="public",
                once=True,
                admit=self.admit,
                takes=wire.PasskeyLogin,
                gives=auth.TokenResponse,
                action="session.open",
            ),
        )

    def _confirm_routes(self) -> tuple[Route, ...]:
        return (
            Route(
                "POST",
                "/v1/auth/confirm",
                self.confirm,
                auth="session",
                once=True,
                takes=wire.ConfirmRequest,
                gives=wire.Confirmation,
                enrolling=True,
                action="confirm",
            ),
            Route(
                "POST",
                "/v1/auth/confirm/options",
                self.confirm_options,
                auth="session",
                once=True,
                takes=wire.ConfirmOptionsRequest,
                gives=wire.PasskeyOptions,
                enrolling=True,
            ),
        )

    async def admit(self, request: Request) -> None:
        """Count a try of a network address. Raises `RateLimited`."""
        await sessions.throttle(self._use, action="second step", client_ip=request.client_ip)

    async def status(self, request: Request) -> Reply:
        """The caller's factors."""
        user, store, principal = await self._user(request), self._use.factors.store, request.principal
        required = self._use.factors.rules.mode is SecondFactors.REQUIRED or principal.second_factor_required
        return json_reply(
            wire.MfaStatus(
                required=required,
                totp=await store.totp(user.user_id) is not None,
                passkeys=len(await store.passkeys(user.user_id)),
                recovery_codes_left=await store.recovery_codes(user.user_id),
                verified=principal.second_factor,
            )
        )

    async def begin_totp(self, request: Request) -> Reply:
        """A secret for an authenticator app; nothing changes until its first code comes."""
        user = await self._enroller(request)
        return json_reply(await totp.begin(self._use, user, _session(request)))

    async def finish_totp(self, request: Request) -> Reply:
        """Take the app as a factor, and give recovery codes."""
        wish, user = await json_body(request, _totp_confirm), await self._enroller(request)
        await proof.take_try(self._use, user)
        if not await totp.finish(self._use, user, _session(request), wish.code):
            raise InvalidCredentials(_WRONG_CODE)
        await self._enrolled(request, user)
        await note_and_tell(self._use, request, user, "factor.totp.add")
        return json_reply(wire.RecoveryCodes(await self._new_recovery_codes(request, user)))

    async def remove_totp(self, request: Request) -> Reply:
        """Take the app away."""
        user = await self._user(request)
        if not await self._use.factors.store.drop_totp(user.user_id):
            raise NotFound("You have no authenticator app; POST /v1/auth/mfa/totp/enroll adds one.")
        await note_and_tell(self._use, request, user, "factor.totp.remove")
        return json_reply(auth.Message("The authenticator app is no factor any more."))

    async def make_recovery_codes(self, request: Request) -> Reply:
        """New recovery codes; the old ones end."""
        user = await self._enroller(request)
        if not await self._use.factors.rules.asked_of(user.user_id):
            raise NotFound("You have no second factor to recover; POST /v1/auth/mfa/totp/enroll adds one.")
        codes = await recovery.make(self._use, user)
        await note_and_tell(self._use, request, user, "factor.recovery_codes.make")
        return json_reply(wire.RecoveryCodes(codes))

    async def list_passkeys(self, request: Request) -> Reply:
        """The caller's passkeys."""
        user = await self._user(request)
        shown = [passkeys.shown(each) for each in await self._use.factors.store.passkeys(user.user_id)]
        return json_reply(wire.PasskeyList(shown, len(shown)))

    async def begin_passkey(self, request: Request) -> Reply:
        """What a browser is asked to make."""
        user = await self._enroller(request)
        return json_reply(await passkeys.enrolment(self._use, user, _session(request)))

    async def finish_passkey(self, request: Request) -> Reply:
        """Take a passkey as a factor; who has no recovery codes yet gets some."""
        wish, user = await json_body(request, _registration), await self._enroller(request)
        made = await passkeys.add(self._use, user, _session(request), wish)
        if made is None:
            raise InvalidCredentials(_NOT_MADE)
        await self._enrolled(request, user)
        told = {"target": made.passkey_id, "details": made.name, "about": made.name}
        await note_and_tell(self._use, request, user, "factor.passkey.add", **told)
        left = await self._use.factors.store.recovery_codes(user.user_id)
        codes = [] if left else await self._new_recovery_codes(request, user)
        return json_reply(wire.AddedPasskey(passkey=passkeys.shown(made), recovery_codes=codes))

    async def rename_passkey(self, request: Request) -> Reply:
        """Give a passkey another name."""
        wish, user = await json_body(request, _name), await self._user(request)
        passkey_id = request.parameters["passkey_id"]
        await passkeys.rename(self._use, user, passkey_id, wish.name)
        await note(self._use, request, user, "factor.passkey.rename", target=passkey_id)
        return json_reply(auth.Message("The passkey has its new name."))

    async def remove_passkey(self, request: Request) -> Reply:
        """Take a passkey away."""
        user, passkey_id = await self._user(request), request.parameters["passkey_id"]
        name = await passkeys.remove(self._use, user, passkey_id)
        await note_and_tell(self._use, request, user, "factor.passkey.remove", target=passkey_id, about=name)
        return json_reply(auth.Message("The passkey is no factor any more."))

    async def verify(self, request: Request) -> Reply:
        """The second step of a log-in: tokens, as log-in gives them to who has one factor."""
        login = await second_step.finish(self._use, request, await json_body(request, _verify))
        return json_reply(await enter(self._use, request, login.user, login.caller, second_factor=True))

    async def second_step_options(self, request: Request) -> Reply:
        """What a browser is asked in the second step of a log-in."""
        login = await second_step.waiting(self._use, (await json_body(request, _mfa_token)).mfa_token)
        return json_reply(await passkeys.asked(self._use, login.ceremony, login.user))

    async def login_options(self, _request: Request) -> Reply:
        """What a browser is asked for a log-in without address and password."""
        self._refuse_off()
        return json_reply(await passkeys.asked(self._use, passkeys.LOGIN, None))

    async def login(self, request: Request) -> Reply:
        """Tokens for a passkey that verified its person."""
        self._refuse_off()
        wish = await json_body(request, _passkey_login)
        user = await passkeys.log_in(self._use, request, wish.credential)
        return json_reply(await enter(self._use, request, user, Caller(wish.client, wish.host), second_factor=True))

    async def confirm(self, request: Request) -> Reply:
        """Proof for one action, given now, used once."""
        wish, user = await json_body(request, _confirm), await self._user(request)
        return json_reply(await confirming.confirm(self._use, request, user, wish))

    async def confirm_options(self, request: Request) -> Reply:
        """What a browser is asked to confirm an action."""
        wish, user = await json_body(request, _confirm_options), await self._user(request)
        ceremony = confirming.ceremony_of(confirming.checked_action(wish.action), _session(request))
        return json_reply(await passkeys.asked(self._use, ceremony, user))

    async def _user(self, request: Request) -> User:
        user = await self._use.accounts.by_id(request.principal.user_id)
        if user is None:
            raise NotAuthenticated("The account of this credential no longer exists.")
        return user

    async def _enroller(self, request: Request) -> User:
        self._refuse_off()
        return await self._user(request)

    def _refuse_off(self) -> None:
        if self._use.factors.rules.mode is SecondFactors.OFF:
            raise Forbidden(_OFF)

    async def _enrolled(self, request: Request, user: User) -> None:
        """Who enrols has proved the new factor, and just before it all others."""
        await proof.succeed(self._use, user)
        await self._use.sessions.confirm(_session(request), self._use.clock.now(), second_factor=True)

    async def _new_recovery_codes(self, request: Request, user: User) -> list[str]:
        """Those that come with a first factor, of which the person is told."""
        codes = await recovery.make(self._use, user)
        await note(self._use, request, user, "factor.recovery_codes.make")
        return codes


def _session(request: Request) -> str:
    return request.principal.session_id or ""
