"""The device code flow (RFC 8628): a program without a browser asks, a person answers on any other device."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

from monkey_coder_protocol.cli_login import DeviceAuthorization, DeviceAuthorizationRequest
from monkey_coder_server.domain import user_codes
from monkey_coder_server.domain.errors import (
    AccessDenied,
    AuthorizationPending,
    Conflict,
    ExpiredToken,
    GatewayError,
    InvalidGrant,
    NotFound,
    SlowDown,
    Unavailable,
)
from monkey_coder_server.domain.native_apps import shown_name
from monkey_coder_server.features.accounts import sessions
from monkey_coder_server.features.accounts.cli_login.approvals import Approver, standing
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.noting import note
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.record import Record
from monkey_coder_server.ports.tickets import Ticket, digest_of
from monkey_coder_server.web.request import Request, agent_of

LIFETIME = timedelta(minutes=10)
INTERVAL = 5
"""Seconds between two questions of a program; each that comes sooner makes it as many longer."""
EARLY = 0.5
"""Seconds a question may come too soon: the network evens out nothing."""
MOST_POLLS = 600
TRIES = 4
DEVICE_CODE = "device code"
USER_CODE = "user code"
_UNKNOWN = "There is no such code. Check it on the screen that shows it; a code is good for ten minutes and one answer."
_GONE = "This device code is unknown or was used already; run `monkey auth login` again."


class Asked(Record, frozen=True):
    """What is kept of a question. Times in Unix seconds; `answer` is empty until a person gave one, the `approver`."""

    client: str
    host: str
    address: str
    agent: str
    asked_at: float
    interval: int = INTERVAL
    polled_at: float = 0.0
    answer: str = ""
    approver: Approver | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question that waits for an answer, under the code a person typed."""

    user_code: str
    asked: Asked

    @property
    def asked_at(self) -> datetime:
        """When the program asked, UTC."""
        return datetime.fromtimestamp(self.asked.asked_at, UTC)


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Asked)


class DeviceLogins:
    """Both sides of the flow. The user code is stored as a keyed digest: 34 bits alone could be tried out."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    async def begin(self, request: Request, wish: DeviceAuthorizationRequest) -> DeviceAuthorization:
        """Two codes for a program that asks. Raises `Unavailable`."""
        now = self._use.clock.now()
        expires = now + LIFETIME
        device_code = f"{self._use.random_text()}.{int(expires.timestamp())}"
        asked = Asked(
            client=shown_name(wish.client_name) or shown_name(wish.client_id) or "a command line",
            host=shown_name(wish.host),
            address=request.client_ip,
            agent=agent_of(request),
            asked_at=now.timestamp(),
        )
        user_code = await self._user_code(digest_of(device_code), expires)
        await self._use.tickets.issue(Ticket(digest_of(device_code), DEVICE_CODE, "", expires, _encode(asked).decode()))
        page = f"{self._use.base_url}/device"
        return DeviceAuthorization(
            device_code=device_code,
            user_code=user_code,
            verification_uri=page,
            verification_uri_complete=f"{page}?user_code={user_code}",
            expires_in=int(LIFETIME.total_seconds()),
            interval=INTERVAL,
        )

    async def question(self, request: Request, user: User, typed: str) -> Question:
        """What a code asks. Every look is counted as a guess. Raises `NotFound`, `RateLimited`."""
        await sessions.throttle(self._use, action=USER_CODE, client_ip=request.client_ip, account=user.user_id)
        user_code = user_codes.read(typed)
        ticket = await self._open_ticket(user_code) if user_code is not None else None
        device = await self._device(ticket) if ticket is not None else None
        if user_code is None or device is None:
            raise NotFound(_UNKNOWN)
        return Question(user_code, _decoder.decode(device.details))

    async def answer(self, request: Request, user: User, typed: str, *, session_id: str, approved: bool) -> Question:
        """Take a person's answer, the only one a code is good for. Raises `NotFound`, `RateLimited`, `Unavailable`."""
        question = await self.question(request, user, typed)
        digest = self._code_digest(question.user_code)
        ticket = await self._use.tickets.redeem(digest, USER_CODE, self._use.clock.now())
        if ticket is None:
            raise NotFound(_UNKNOWN)
        await self._settle(ticket, Approver(user.user_id, session_id), "approved" if approved else "denied")
        details = f"{question.asked.client} on {question.asked.host or 'an unnamed host'}, {question.asked.address}"
        await note(self._use, request, user, "device.approve" if approved else "device.deny", details=details)
        return question

    async def admit_poll(self, client_ip: str) -> None:
        """Count a program's question by its network address. Raises `SlowDown`."""
        verdict = await self._use.limiter.take(f"device token:ip:{client_ip}", limit=MOST_POLLS, period=300.0)
        if not verdict.allowed:
            raise SlowDown("Too many questions from this address; ask less often.", retry_after=verdict.retry_after)

    async def poll(self, device_code: str) -> tuple[User, str]:
        """Who approved, and the host to name the key after; a code yields that once.

        Raises `AuthorizationPending`, `SlowDown`, `AccessDenied`, `ExpiredToken`, `InvalidGrant`.
        """
        digest = digest_of(device_code)
        for _ in range(TRIES):
            ticket = await self._use.tickets.find(digest, DEVICE_CODE, self._use.clock.now())
            if ticket is None:
                raise self._missing(device_code)
            asked = _decoder.decode(ticket.details)
            verdict, noted = self._judge(asked)
            if verdict is None:
                return await self._redeem(digest), asked.host
            new = _encode(noted).decode()
            if await self._use.tickets.amend(digest, DEVICE_CODE, old=ticket.details, new=new):
                raise verdict
        raise SlowDown("Several programs ask with one device code; only one may.")

    def _judge(self, asked: Asked) -> tuple[GatewayError | None, Asked]:
        now = self._use.clock.now().timestamp()
        if now - asked.polled_at < asked.interval - EARLY:
            longer = asked.interval + INTERVAL
            message = f"Asked too soon; wait {longer} seconds between two questions from now on."
            return SlowDown(message, retry_after=longer), _with(asked, interval=longer, polled_at=now)
        noted = _with(asked, polled_at=now)
        if asked.answer == "approved":
            return None, noted
        if asked.answer == "denied":
            return AccessDenied("The log-in was refused in the browser."), noted
        return AuthorizationPending("The person has not answered yet; ask again."), noted

    async def _redeem(self, digest: bytes) -> User:
        now = self._use.clock.now()
        ticket = await self._use.tickets.redeem(digest, DEVICE_CODE, now)
        approver = _decoder.decode(ticket.details).approver if ticket is not None else None
        user = await standing(self._use, approver, now) if approver is not None else None
        if user is None:
            raise InvalidGrant(_GONE)
        return user

    async def _user_code(self, device: bytes, expires: datetime) -> str:
        for _ in range(TRIES):
            user_code = user_codes.compose(sha256(self._use.random_text().encode()).digest())
            ticket = Ticket(self._code_digest(user_code), USER_CODE, "", expires, device.hex())
            try:
                await self._use.tickets.issue(ticket)
            except Conflict:
                continue
            return user_code
        raise Unavailable("No code is free just now; try again.", retry_after=INTERVAL)

    async def _settle(self, code: Ticket, approver: Approver, answer: str) -> None:
        """Write the answer beside what the program's own questions write at the same time."""
        for _ in range(TRIES):
            ticket = await self._device(code)
            if ticket is None:
                raise NotFound(_UNKNOWN)
            answered = _with(_decoder.decode(ticket.details), answer=answer, approver=approver)
            new = _encode(answered).decode()
            if await self._use.tickets.amend(ticket.digest, DEVICE_CODE, old=ticket.details, new=new):
                return
        raise Unavailable("The answer could not be noted; run the log-in again.", retry_after=INTERVAL)

    async def _open_ticket(self, user_code: str) -> Ticket | None:
        return await self._use.tickets.find(self._code_digest(user_code), USER_CODE, self._use.clock.now())

    async def _device(self, code: Ticket) -> Ticket | None:
        return await self._use.tickets.find(bytes.fromhex(code.details), DEVICE_CODE, self._use.clock.now())

    def _code_digest(self, user_code: str) -> bytes:
        return digest_of(self._use.successor(f"user code {user_code}"))

    def _missing(self, device_code: str) -> GatewayError:
        """A code says itself until when it was good: who forges that learns nothing."""
        until = device_code.rpartition(".")[2]
        if until.isascii() and until.isdigit() and int(until) <= self._use.clock.now().timestamp():
            return ExpiredToken("The device code has expired; run `monkey auth login` again.")
        return InvalidGrant(_GONE)


def _with(asked: Asked, **changes: object) -> Asked:
    return msgspec.structs.replace(asked, **changes)
