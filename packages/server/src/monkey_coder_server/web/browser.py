"""People in a browser: their cookies, and the proof that a form was sent by one of our own pages.

A cookie says who is asking on pages alone. No route of the API ever reads one, so no other site can make a browser
call the API for its user.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from monkey_coder_server.domain.errors import Forbidden
from monkey_coder_server.ports.accounts import Session, Sessions
from monkey_coder_server.ports.clock import Clock, Ids
from monkey_coder_server.ports.tickets import digest_of
from monkey_coder_server.web.request import Request, agent_of

BROWSER_LIFETIME = timedelta(hours=12)
TOKEN_FIELD = "form_token"  # noqa: S105 - a field's name
_ELSEWHERE = "This form was not sent from a page of this gateway. Open the page again and send it from there."


@dataclass(frozen=True, slots=True)
class Cookie:
    """What a browser is to keep, as the header that says so."""

    value: str
    header: tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class BrowserParts:
    """`keyed` makes of a text what only we can make of it; `random_text` gives 256 random bits as text."""

    sessions: Sessions
    clock: Clock
    ids: Ids
    keyed: Callable[[str], str]
    random_text: Callable[[], str]


class Browsers:
    """Sessions of browsers. `base_url` decides whether cookies may travel over plain HTTP: in development only."""

    def __init__(self, use: BrowserParts, *, base_url: str) -> None:
        self._use = use
        self._secure = base_url.startswith("https://")
        prefix = "__Host-" if self._secure else ""
        self.session_cookie = f"{prefix}mk_session"
        self.visit_cookie = f"{prefix}mk_visit"

    async def session(self, request: Request) -> Session | None:
        """The session whose cookie came, while it lasts."""
        value = self._sent(request, self.session_cookie)
        if value is None:
            return None
        session = await self._use.sessions.find(value.partition(".")[0])
        if session is None or session.revoked or session.expires_at <= self._use.clock.now():
            return None
        return session if hmac.compare_digest(session.token_digest, digest_of(value)) else None

    async def open(self, request: Request, user_id: str, *, second_factor: bool = False) -> tuple[Session, Cookie]:
        """A session of a person who has just proved who they are; whatever cookie came is worth nothing any more."""
        await self.close(request)
        session_id, now = self._use.ids.new("ses"), self._use.clock.now()
        value = f"{session_id}.{self._use.random_text()}"
        session = Session(
            session_id,
            user_id,
            digest_of(value),
            now + BROWSER_LIFETIME,
            created_at=now,
            confirmed_at=now,
            second_factor=second_factor,
            address=request.client_ip,
            agent=agent_of(request),
        )
        await self._use.sessions.open(session)
        return session, self._cookie(self.session_cookie, value, seconds=int(BROWSER_LIFETIME.total_seconds()))

    async def close(self, request: Request) -> Cookie:
        """End the session whose cookie came, if there is one."""
        session = await self.session(request)
        if session is not None:
            await self._use.sessions.revoke(session.session_id)
        return self._cookie(self.session_cookie, "", seconds=0)

    def visit(self, request: Request) -> tuple[str, tuple[tuple[bytes, bytes], ...]]:
        """The token for this browser's forms, and the cookie it is bound to where the browser has none yet."""
        anchor = self._anchor(request)
        if anchor is not None:
            return self._token(anchor), ()
        cookie = self._cookie(self.visit_cookie, self._use.random_text())
        return self._token(cookie.value), (cookie.header,)

    def mark(self, request: Request) -> str | None:
        """What only this browser can come back from elsewhere with; None for one without a cookie of ours."""
        anchor = self._anchor(request)
        return None if anchor is None else self._use.keyed(f"journey {anchor}")

    def check_form(self, request: Request, fields: dict[str, str]) -> None:
        """Refuse a form that one of our own pages did not send from this browser. Raises `Forbidden`."""
        anchor = self._anchor(request)
        token = fields.get(TOKEN_FIELD, "")
        if anchor is None or not hmac.compare_digest(self._token(anchor).encode(), token.encode()):
            raise Forbidden(_ELSEWHERE)
        if not _from_here(request):
            raise Forbidden(_ELSEWHERE)

    def _anchor(self, request: Request) -> str | None:
        return self._sent(request, self.session_cookie) or self._sent(request, self.visit_cookie)

    def _token(self, anchor: str) -> str:
        return self._use.keyed(f"form {anchor}")

    @staticmethod
    def _sent(request: Request, name: str) -> str | None:
        for pair in (request.header("cookie") or "").split(";"):
            found, _, value = pair.strip().partition("=")
            if found == name:
                return value or None
        return None

    def _cookie(self, name: str, value: str, *, seconds: int | None = None) -> Cookie:
        lasting = "" if seconds is None else f"; Max-Age={seconds}"
        secure = "; Secure" if self._secure else ""
        text = f"{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{lasting}"
        return Cookie(value, (b"set-cookie", text.encode("ascii")))


def _from_here(request: Request) -> bool:
    """What the browser itself says of where a form came from.

    Pages that send no referrer have the origin `null` (Fetch standard, "append a request Origin header"), so the word
    of a browser that names the site counts before it; an old one, or one on plain HTTP, is left to the form's token.
    """
    site = request.header("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.header("origin")
    return origin in (None, "null") or urlsplit(origin or "").netloc == request.header("host")
