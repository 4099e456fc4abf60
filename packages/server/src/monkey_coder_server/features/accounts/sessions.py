"""Log-in and what follows: access tokens, refresh-token families, throttles."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monkey_coder_server.domain.errors import InvalidCredentials, RateLimited
from monkey_coder_server.domain.throttling import place_of
from monkey_coder_server.features.accounts import throttles
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.policy import LONGEST_PASSWORD
from monkey_coder_server.ports.accounts import Rotation, Session, User
from monkey_coder_server.ports.tickets import digest_of
from monkey_coder_server.web.request import Request, agent_of

SESSION_LIFETIME = timedelta(days=30)
THROTTLE_SECONDS = 300.0
TRIES_PER_PLACE = 100
REFRESH_PREFIX = "mcr-"
_REFUSED = "E-mail address and password do not match an account; check both for typing errors."


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access token, when it expires, and the refresh token for the next one. `second_factor`: of the session."""

    access: str
    expires_at: datetime
    refresh: str
    second_factor: bool


@dataclass(frozen=True, slots=True)
class _Turn:
    session_id: str
    refresh: str
    second_factor: bool


async def throttle(use: Dependencies, *, action: str, client_ip: str, account: str | None = None) -> None:
    """Count a try against its network address and, where one is named, the account, which can then be guessed at.

    First in this process, so that a flood does not reach the database. Raises `RateLimited`, `Unavailable`.
    """
    place = f"{action}:ip:{place_of(client_ip)}"
    verdict = await use.limiter.take(place, limit=TRIES_PER_PLACE, period=THROTTLE_SECONDS)
    if not verdict.allowed:
        raise RateLimited(throttles.TOO_MANY, retry_after=verdict.retry_after)
    if account is not None:
        await throttles.count_guess(use, action=action, account=account, client_ip=client_ip)
    elif action in throttles.COUNTED_TOGETHER:
        await throttles.count(use, {throttles.place_at(action, client_ip): throttles.A_BUSY_PLACE})


async def check_password(use: Dependencies, request: Request, *, email: str, password: str) -> User:
    """The user of an address and password, after `throttle`. Unknown addresses take as long and get the same answer.

    Whose address it is gets noted in the request: a refusal is told in the trail of their account.

    Raises `InvalidCredentials`, `Unavailable`.
    """
    user = await use.accounts.by_email(email.strip())
    stored = user.password_hash if user is not None else None
    request.concerns = user.account_id if user is not None else ""
    if len(password) > LONGEST_PASSWORD or not await use.passwords.verify(password, stored) or user is None:
        raise InvalidCredentials(_REFUSED)
    await throttles.login_succeeded(use, email=email, client_ip=request.client_ip)
    if use.passwords.outdated(user.password_hash):
        await use.accounts.set_password(user.user_id, await use.passwords.hash(password))
    return user


async def open_session(use: Dependencies, user: User, request: Request, *, second_factor: bool = False) -> Tokens:
    """Begin a refresh-token family for a person who has just proved with all their factors that it is them."""
    session_id = use.ids.new("ses")
    refresh, digest = _refresh_token(session_id, use.random_text())
    now = use.clock.now()
    await use.sessions.open(
        Session(
            session_id,
            user.user_id,
            digest,
            now + SESSION_LIFETIME,
            created_at=now,
            confirmed_at=now,
            second_factor=second_factor,
            address=request.client_ip,
            agent=agent_of(request),
        )
    )
    return _tokens(use, user, _Turn(session_id, refresh, second_factor), now)


async def refresh_session(use: Dependencies, refresh_token: str) -> tuple[User, Tokens]:
    """The next tokens of a family; a token that was used before ends the whole family. Raises `InvalidCredentials`."""
    session_id = refresh_token.removeprefix(REFRESH_PREFIX).partition(".")[0]
    session = await use.sessions.find(session_id) if refresh_token.startswith(REFRESH_PREFIX) else None
    now = use.clock.now()
    user = await use.accounts.by_id(session.user_id) if session is not None else None
    if session is None or user is None or session.revoked or session.expires_at <= now:
        raise InvalidCredentials("The refresh token is not valid any more; log in again.")
    following, digest = _refresh_token(session_id, use.successor(refresh_token))
    turn = Rotation(digest_of(refresh_token), digest, now, now + SESSION_LIFETIME)
    rotated = await use.sessions.rotate(session_id, turn)
    if not rotated:
        raise InvalidCredentials("The refresh token was used before, so its session was ended; log in again.")
    return user, _tokens(use, user, _Turn(session_id, following, session.second_factor), now)


def _tokens(use: Dependencies, user: User, turn: _Turn, now: datetime) -> Tokens:
    access, expires = use.tokens.issue(
        user_id=user.user_id, account_id=user.account_id, session_id=turn.session_id, now=int(now.timestamp())
    )
    return Tokens(access, datetime.fromtimestamp(expires, UTC), turn.refresh, turn.second_factor)


def _refresh_token(session_id: str, random_text: str) -> tuple[str, bytes]:
    token = f"{REFRESH_PREFIX}{session_id}.{random_text}"
    return token, digest_of(token)
