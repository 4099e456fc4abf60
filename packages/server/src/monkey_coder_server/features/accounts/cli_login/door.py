"""What every page does: know whose browser it is, take its forms, show a template, let a person in."""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from monkey_coder_server.domain.confirmation import SecondFactors
from monkey_coder_server.domain.errors import InvalidCredentials
from monkey_coder_server.features.accounts.answering import refuse_without_factor
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import proof
from monkey_coder_server.features.accounts.noting import note
from monkey_coder_server.ports.accounts import Session, User
from monkey_coder_server.web.browser import BrowserParts, Browsers
from monkey_coder_server.web.feature import Endpoint, Route
from monkey_coder_server.web.forms import form_fields
from monkey_coder_server.web.pages import Pages, see_other
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import Response

FRESH = timedelta(minutes=10)
"""How long after they proved who they are a person may hand out a key; later they prove it again."""
DEVICE, LOGIN, PASSKEYS, IDENTITIES = "/device", "/login", "/passkeys", "/identities"
_NEXT = re.compile(
    r"/(?:device|authorize|passkeys|identities|invitation|billing)(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Guest:
    """A person whose browser has proved lately that it is theirs."""

    session: Session
    user: User


class Door:
    """Over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use
        self.pages = Pages(__package__)
        parts = BrowserParts(use.sessions, use.clock, use.ids, use.successor, use.random_text)
        self.browsers = Browsers(parts, base_url=use.base_url)

    async def fields(self, request: Request) -> dict[str, str]:
        """What a form of our own holds. Raises `Forbidden` for any other, and as `form_fields` does."""
        fields = await form_fields(request)
        self.browsers.check_form(request, fields)
        return fields

    async def guest(self, request: Request, *, enrolling: bool = False) -> Guest | None:
        """Who is here, if they proved lately who they are.

        Raises `MfaEnrolmentRequired` where a second factor is demanded that they did not give, unless they are
        `enrolling` one.
        """
        session = await self.browsers.session(request)
        user = await self.user(session)
        if session is None or user is None or session.confirmed_at is None:
            return None
        if self._use.clock.now() - session.confirmed_at > FRESH:
            return None
        if not enrolling:
            refuse_without_factor(self._use, second_factor=session.second_factor)
        return Guest(session, user)

    async def known(self, request: Request) -> User | None:
        """Whose browser it is, however long ago that was proved."""
        return await self.user(await self.browsers.session(request))

    async def user(self, session: Session | None) -> User | None:
        """The person of a session."""
        return None if session is None else await self._use.accounts.by_id(session.user_id)

    async def let_in(self, request: Request, user: User, following: str, *, second_factor: bool = False) -> Response:
        """Begin a session, under a new cookie whatever came.

        Where a second factor is demanded of all, who has none is led to where one is made, and gets no further.
        """
        if not second_factor and self._use.factors.rules.mode is SecondFactors.REQUIRED:
            following = PASSKEYS
        _, cookie = await self.browsers.open(request, user.user_id, second_factor=second_factor)
        await note(
            self._use, request, user, "session.open", details="browser, second factor" if second_factor else "browser"
        )
        return see_other(following, [cookie.header])

    async def confirm(self, request: Request, user: User, code: str) -> None:
        """Who has a second factor gives a code with the very wish. Raises `InvalidCredentials`, `RateLimited`."""
        if not await self._use.factors.rules.asked_of(user.user_id):
            return
        await proof.take_try(self._use, user)
        if not await proof.by_code(self._use, request, user, code):
            raise InvalidCredentials(proof.WRONG)
        await proof.succeed(self._use, user)

    def pages_of(self, *listed: tuple[str, str, Endpoint]) -> tuple[Route, ...]:
        """Routes of pages by method, path and endpoint: each asks for its person itself."""
        return tuple(
            Route(method, path, endpoint, auth="public", errors=self.pages.problem, page=True)
            for method, path, endpoint in listed
        )

    def show(
        self, request: Request, template: str, *, status: int = 200, sends_to: str = "", script: str = "", **values: Any
    ) -> Response:
        """A page whose forms carry this browser's token."""
        token, cookies = self.browsers.visit(request)
        return self.pages.show(
            template,
            status=status,
            headers=list(cookies),
            sends_to=sends_to,
            script=script,
            form_token=token,
            **values,
        )


def following(wanted: str | None) -> str:
    """Where a log-in leads: to one of our own pages, whatever was asked for."""
    return wanted if wanted is not None and _NEXT.fullmatch(wanted) else DEVICE


def login_for(page: str) -> str:
    """The log-in page that leads to this page."""
    return f"{LOGIN}?next={quote(page, safe='')}"
