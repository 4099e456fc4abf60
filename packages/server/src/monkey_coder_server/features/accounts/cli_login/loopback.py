"""Log-in through the browser of the same computer (RFC 8252): a code for a loopback address, bound by PKCE."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

import msgspec

from monkey_coder_protocol.cli_login import CLIENT_ID, CodeTokenRequest
from monkey_coder_server.domain.errors import InvalidGrant, InvalidRequest
from monkey_coder_server.domain.native_apps import CHALLENGE_METHOD, loopback_redirect, proves, shown_name, well_formed
from monkey_coder_server.features.accounts.cli_login.approvals import Approver, standing
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.noting import note
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.record import Record
from monkey_coder_server.ports.tickets import Ticket, digest_of
from monkey_coder_server.web.request import Request

LIFETIME = timedelta(seconds=60)
AUTHORIZATION_CODE = "authorization code"
_STATE = re.compile(r"[A-Za-z0-9._~-]{16,256}", re.ASCII)
_USELESS = "This code is unknown, used, expired or another program's; run `monkey auth login` again."


class _Bound(Record, frozen=True):
    """What a code is bound to."""

    challenge: str
    redirect_uri: str
    host: str
    approver: Approver


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(_Bound)


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """What a program asks for, checked."""

    redirect_uri: str
    challenge: str
    state: str
    host: str

    def parameters(self) -> dict[str, str]:
        """The same as it was asked."""
        return {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": self.redirect_uri,
            "code_challenge": self.challenge,
            "code_challenge_method": CHALLENGE_METHOD,
            "state": self.state,
            "host": self.host,
        }

    def back(self, **answer: str) -> str:
        """Where the browser goes with an answer."""
        return f"{self.redirect_uri}?{urlencode({**answer, 'state': self.state})}"


def read_request(given: Mapping[str, str]) -> CodeRequest:
    """The parameters of a request for a code. Raises `InvalidRequest`: a browser is never sent where one is wrong."""
    if given.get("client_id") != CLIENT_ID:
        raise InvalidRequest("No such program may log in here. Run `monkey auth login` to begin.")
    redirect_uri = given.get("redirect_uri", "")
    if not loopback_redirect(redirect_uri):
        raise InvalidRequest("The field `redirect_uri` must be http://127.0.0.1:PORT/callback on this computer.")
    if given.get("response_type") != "code":
        raise InvalidRequest("The field `response_type` must be `code`.")
    challenge = given.get("code_challenge", "")
    if given.get("code_challenge_method") != CHALLENGE_METHOD or not well_formed(challenge):
        raise InvalidRequest("The field `code_challenge` must be an S256 challenge (RFC 7636).")
    state = given.get("state", "")
    if _STATE.fullmatch(state) is None:
        raise InvalidRequest("The field `state` must be 16 to 256 letters, digits, dots, hyphens or underscores.")
    return CodeRequest(redirect_uri, challenge, state, shown_name(given.get("host")))


class CodeLogins:
    """Codes for programs, each good once and for a minute."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    async def approve(self, request: Request, user: User, wish: CodeRequest, *, session_id: str) -> str:
        """A code for a program that its user has said yes to; where the browser takes it."""
        code = self._use.random_text()
        bound = _Bound(wish.challenge, wish.redirect_uri, wish.host, Approver(user.user_id, session_id))
        expires = self._use.clock.now() + LIFETIME
        await self._use.tickets.issue(
            Ticket(digest_of(code), AUTHORIZATION_CODE, user.user_id, expires, _encode(bound).decode())
        )
        await note(self._use, request, user, "authorize.approve", details=wish.host)
        return wish.back(code=code)

    async def deny(self, request: Request, user: User, wish: CodeRequest) -> str:
        """Where the browser takes a no."""
        await note(self._use, request, user, "authorize.deny", details=wish.host)
        return wish.back(error="access_denied")

    async def redeem(self, wish: CodeTokenRequest) -> tuple[User, str]:
        """Who approved, and the host to name the key after. A code that was tried once is used up, right or wrong.

        Raises `InvalidGrant`.
        """
        now = self._use.clock.now()
        ticket = await self._use.tickets.redeem(digest_of(wish.code), AUTHORIZATION_CODE, now)
        if ticket is None:
            raise InvalidGrant(_USELESS)
        bound = _decoder.decode(ticket.details)
        if wish.redirect_uri != bound.redirect_uri or not proves(wish.code_verifier, bound.challenge):
            raise InvalidGrant(_USELESS)
        user = await standing(self._use, bound.approver, now)
        if user is None:
            raise InvalidGrant(_USELESS)
        return user, bound.host
