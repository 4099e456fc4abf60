"""`/v1/auth/device/*` and `/v1/auth/authorize/token`: what programs ask, and answers of people through programs."""

from functools import partial

import msgspec

from monkey_coder_protocol import cli_login as wire
from monkey_coder_protocol.auth import Message
from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.errors import GatewayError, NotAuthenticated, UnsupportedGrantType
from monkey_coder_server.domain.scopes import KEYS_MANAGE
from monkey_coder_server.features.accounts import keys, sessions
from monkey_coder_server.features.accounts.cli_login.device import DeviceLogins, Question
from monkey_coder_server.features.accounts.cli_login.loopback import CodeLogins
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.user_shown import user_info
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.forms import form_or_json
from monkey_coder_server.web.problem import problem_headers, status_of
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_authorize = msgspec.json.Decoder(wire.DeviceAuthorizationRequest)
_device_token = msgspec.json.Decoder(wire.DeviceTokenRequest)
_code_token = msgspec.json.Decoder(wire.CodeTokenRequest)
_user_code = msgspec.json.Decoder(wire.UserCode)


class TokenRoutes:
    """The endpoints, over one set of dependencies. Under `/v1/device` they stand where earlier clients look."""

    def __init__(self, use: Dependencies, devices: DeviceLogins, codes: CodeLogins) -> None:
        self._use = use
        self._devices = devices
        self._codes = codes

    def routes(self) -> tuple[Route, ...]:
        """Every route."""
        code_route = Route(
            "POST",
            "/v1/auth/authorize/token",
            self.code_token,
            auth="public",
            errors=oauth_problem,
            once=True,
            takes=wire.CodeTokenRequest,
            gives=wire.CommandLineKey,
            admit=self.admit_code,
            action="authorize.token",
        )
        return (*self._device_routes("/v1/auth/device"), *self._device_routes("/v1/device", bare=True), code_route)

    def _device_routes(self, at: str, *, bare: bool = False) -> tuple[Route, ...]:
        errors = partial(oauth_problem, bare=bare)
        person = partial(Route, auth="session", scope=KEYS_MANAGE)
        answer = partial(person, once=True, takes=wire.UserCode, gives=Message)
        return (
            Route(
                "POST",
                f"{at}/authorize",
                self.begin,
                auth="public",
                errors=errors,
                once=True,
                takes=wire.DeviceAuthorizationRequest,
                gives=wire.DeviceAuthorization,
                admit=self.admit_begin,
            ),
            Route(
                "POST",
                f"{at}/token",
                self.device_token,
                auth="public",
                errors=errors,
                once=True,
                takes=wire.DeviceTokenRequest,
                gives=wire.CommandLineKey,
                admit=self.admit_poll,
            ),
            person("GET", f"{at}/verify", self.verify, gives=wire.DeviceQuestion),
            answer("POST", f"{at}/approve", self.approve, action="device.approve", confirm=Action.KEYS),
            answer("POST", f"{at}/deny", self.deny, action="device.deny"),
        )

    async def admit_begin(self, request: Request) -> None:
        """Count a program that asks. Raises `RateLimited`."""
        await sessions.throttle(self._use, action="device", client_ip=request.client_ip)

    async def admit_poll(self, request: Request) -> None:
        """Count a program's question for its token. Raises `SlowDown`."""
        await self._devices.admit_poll(request.client_ip)

    async def admit_code(self, request: Request) -> None:
        """Count a program that brings a code. Raises `RateLimited`."""
        await sessions.throttle(self._use, action="code", client_ip=request.client_ip)

    async def begin(self, request: Request) -> Reply:
        """The codes of a device log-in."""
        return json_reply(await self._devices.begin(request, await form_or_json(request, _authorize)))

    async def device_token(self, request: Request) -> Reply:
        """The key, once a person has approved."""
        wish = await form_or_json(request, _device_token)
        _check_grant(wish.grant_type, wire.DEVICE_GRANT)
        user, host = await self._devices.poll(wish.device_code)
        return json_reply(await self._key(request, user, host))

    async def code_token(self, request: Request) -> Reply:
        """The key for a code that the browser brought."""
        wish = await form_or_json(request, _code_token)
        _check_grant(wish.grant_type, wire.CODE_GRANT)
        user, host = await self._codes.redeem(wish)
        return json_reply(await self._key(request, user, host))

    async def verify(self, request: Request) -> Reply:
        """Who asks under a user code; never the device code."""
        question = await self._devices.question(
            request, await self._person(request), request.query.get("user_code", "")
        )
        return json_reply(_shown(question))

    async def approve(self, request: Request) -> Reply:
        """A person's yes."""
        question = await self._answer(request, approved=True)
        return json_reply(Message(f"{question.asked.client} on {question.asked.host or 'that device'} is logged in."))

    async def deny(self, request: Request) -> Reply:
        """A person's no."""
        await self._answer(request, approved=False)
        return json_reply(Message("The log-in was refused."))

    async def _answer(self, request: Request, *, approved: bool) -> Question:
        wish = await json_body(request, _user_code)
        session_id = request.principal.session_id or ""
        person = await self._person(request)
        return await self._devices.answer(request, person, wish.user_code, session_id=session_id, approved=approved)

    async def _person(self, request: Request) -> User:
        """Whoever they act for: a command line gets a key of the person's own account."""
        user = await self._use.accounts.by_id(request.principal.user_id)
        if user is None:
            raise NotAuthenticated("The account of this session no longer exists.")
        return user

    async def _key(self, request: Request, user: User, host: str) -> wire.CommandLineKey:
        await self._use.ledger.open_wallet(user.account_id)
        made = await keys.make_cli_key(self._use, request, user, host)
        return wire.CommandLineKey(
            access_token=made.secret,
            api_key=made.secret,
            key_id=made.record.key_id,
            key_name=made.record.name,
            user=await user_info(self._use, user),
        )


def oauth_problem(error: GatewayError, request_id: str, *, bare: bool = False) -> Reply:
    """An error with the fields of RFC 6749 beside the native ones; `bare`: the code alone stands in `detail`."""
    body = wire.OAuthErrorBody(
        detail=error.code if bare else error.message,
        message=error.message,
        error_code=error.code,
        status_code=status_of(error),
        request_id=request_id,
        error=error.code,
        error_description=error.message,
    )
    return json_reply(body, status=body.status_code, headers=problem_headers(error))


def _check_grant(given: str, wanted: str) -> None:
    if given != wanted:
        message = f"The field `grant_type` must be `{wanted}`."
        raise UnsupportedGrantType(message)


def _shown(question: Question) -> wire.DeviceQuestion:
    asked = question.asked
    return wire.DeviceQuestion(
        user_code=question.user_code,
        client_name=asked.client,
        host=asked.host,
        address=asked.address,
        asked_at=question.asked_at.isoformat(),
    )
