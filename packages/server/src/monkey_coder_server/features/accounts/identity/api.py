"""`/v1/auth/email/*`, `/v1/auth/password/*`, `/v1/auth/sessions`, `/v1/auth/logout/all`."""

from functools import partial

import msgspec

from monkey_coder_protocol import auth
from monkey_coder_protocol import identity as wire
from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.features.accounts import sessions
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.identity import addresses, links, own_sessions, passwords
from monkey_coder_server.features.accounts.identity.errands import Errands
from monkey_coder_server.features.accounts.identity.pages import MailedPages
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import decode, json_body, kept_json_body
from monkey_coder_server.web.feature import Endpoint, Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_MAIL_WAYS = ("/v1/auth/email/verify", "/v1/auth/verify/email")
"""The second is how published clients call it."""
_address = msgspec.json.Decoder(wire.AddressRequest)
_token = msgspec.json.Decoder(wire.TokenRequest)
_new_address = msgspec.json.Decoder(wire.ChangeEmailRequest)
_reset = msgspec.json.Decoder(wire.ResetPasswordRequest)
_new_password = msgspec.json.Decoder(wire.ChangePasswordRequest)
_end_all = msgspec.json.Decoder(wire.EndSessionsRequest)
_SENT = "If there is an account with this address, a mail is on its way to it."


class IdentityRoutes:
    """The endpoints, over one set of dependencies. Mail that would tell who has an account is written by `errands`."""

    def __init__(self, use: Dependencies, errands: Errands) -> None:
        self._use = use
        self._errands = errands

    def routes(self) -> tuple[Route, ...]:
        """Every route of addresses, passwords and sessions."""
        pages = MailedPages(self._use, self._errands).routes()
        return (*self._address_routes(), *self._password_routes(), *self._session_routes(), *pages)

    def _address_routes(self) -> tuple[Route, ...]:
        mailed = [
            route
            for way in _MAIL_WAYS
            for route in (
                self._asking_for_mail(f"{way}/request", self.ask_to_verify, links.VERIFY),
                self._with_token(f"{way}/confirm", self.confirm, wire.TokenRequest, "email.verify"),
            )
        ]
        change = self._by_person("/v1/auth/email/change", self.change_email, wire.ChangeEmailRequest, "email.change")
        return (*mailed, change)

    def _password_routes(self) -> tuple[Route, ...]:
        way = "/v1/auth/password"
        return (
            self._asking_for_mail(f"{way}/forgot", self.forgot, links.RESET),
            self._with_token(f"{way}/reset", self.reset, wire.ResetPasswordRequest, "password.reset"),
            self._by_person(f"{way}/change", self.change_password, wire.ChangePasswordRequest, "password.change"),
        )

    def _session_routes(self) -> tuple[Route, ...]:
        return (
            Route(
                "GET",
                "/v1/auth/sessions",
                self.list_sessions,
                auth="session",
                gives=wire.SessionList,
                enrolling=True,
            ),
            Route(
                "DELETE",
                "/v1/auth/sessions/{session_id}",
                self.end_session,
                auth="session",
                gives=auth.Message,
                enrolling=True,
                action="session.end",
            ),
            Route(
                "POST",
                "/v1/auth/logout/all",
                self.end_sessions,
                auth="session",
                once=True,
                takes=wire.EndSessionsRequest,
                gives=wire.EndedSessions,
                enrolling=True,
                action="session.end_all",
            ),
        )

    def _asking_for_mail(self, path: str, endpoint: Endpoint, purpose: str) -> Route:
        return Route(
            "POST",
            path,
            endpoint,
            auth="public",
            once=True,
            admit=partial(self.admit_mail, purpose),
            takes=wire.AddressRequest,
            gives=wire.Done,
        )

    def _with_token(self, path: str, endpoint: Endpoint, takes: type[msgspec.Struct], action: str) -> Route:
        return Route(
            "POST",
            path,
            endpoint,
            auth="public",
            once=True,
            admit=self.admit_token,
            takes=takes,
            gives=wire.Done,
            action=action,
        )

    def _by_person(self, path: str, endpoint: Endpoint, takes: type[msgspec.Struct], action: str) -> Route:
        return Route(
            "POST",
            path,
            endpoint,
            auth="session",
            once=True,
            takes=takes,
            gives=wire.Done,
            confirm=Action.IDENTITY,
            action=action,
        )

    async def admit_mail(self, purpose: str, request: Request) -> None:
        """Count a mail that is asked for. Raises `InvalidRequest`, `RateLimited`."""
        await addresses.admit_mail(self._use, request, purpose, (await kept_json_body(request, _address)).email)

    async def admit_token(self, request: Request) -> None:
        """Count a try with a token. Raises `RateLimited`."""
        await sessions.throttle(self._use, action="mailed token", client_ip=request.client_ip)

    async def ask_to_verify(self, request: Request) -> Reply:
        """A mail to confirm an address with."""
        wish = await json_body(request, _address)
        self._errands.take(partial(addresses.ask_to_verify, self._use, wish.email.strip()))
        return json_reply(wire.Done(status="email_verification_issued", message=_SENT))

    async def confirm(self, request: Request) -> Reply:
        """The address the mail went to is the person's."""
        wish = await json_body(request, _token)
        await addresses.confirm(self._use, request, wish.token)
        return json_reply(wire.Done(status="email_verified", message="The address is confirmed."))

    async def change_email(self, request: Request) -> Reply:
        """A mail to the new address, and one to the old."""
        wish = await json_body(request, _new_address)
        await addresses.ask_to_change(self._use, self._errands, request, email=wish.email, password=wish.password)
        message = "Follow the link in the mail to the new address; until then everything stays as it is."
        return json_reply(wire.Done(status="email_change_issued", message=message))

    async def forgot(self, request: Request) -> Reply:
        """A mail to set a new password with."""
        wish = await json_body(request, _address)
        self._errands.take(partial(passwords.ask_to_reset, self._use, request, wish.email.strip()))
        return json_reply(wire.Done(status="ok", message=_SENT))

    async def reset(self, request: Request) -> Reply:
        """A new password, by a token that came by mail."""
        wish = await json_body(request, _reset)
        await passwords.reset(self._use, request, token=wish.token, new_password=wish.new_password)
        message = "The password is set and every session has ended; log in."
        return json_reply(wire.Done(status="password_reset", message=message))

    async def change_password(self, request: Request) -> Reply:
        """A new password, by who knows the present one."""
        wish = await json_body(request, _new_password)
        ended = await passwords.change(self._use, request, current=wish.current_password, new=wish.new_password)
        message = f"The password is changed; {ended} other sessions have ended."
        return json_reply(wire.Done(status="password_changed", message=message))

    async def list_sessions(self, request: Request) -> Reply:
        """The caller's sessions."""
        return json_reply(await own_sessions.shown(self._use, request))

    async def end_session(self, request: Request) -> Reply:
        """End one of the caller's sessions."""
        await own_sessions.end(self._use, request, request.parameters["session_id"])
        return json_reply(auth.Message("The session has ended."))

    async def end_sessions(self, request: Request) -> Reply:
        """End all sessions of the caller."""
        body = await request.body()
        wish = decode(body, _end_all) if body else wire.EndSessionsRequest()
        ended = await own_sessions.end_all(self._use, request, this_one=wish.this_one)
        return json_reply(wire.EndedSessions(message=f"{ended} sessions have ended.", ended=ended))
