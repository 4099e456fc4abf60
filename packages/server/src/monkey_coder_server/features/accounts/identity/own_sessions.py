"""The sessions of a person: look at them, end them."""

from datetime import datetime

from monkey_coder_protocol.identity import SessionInfo, SessionList
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.identity.persons import person
from monkey_coder_server.features.accounts.identity.trail import note
from monkey_coder_server.ports.accounts import Session
from monkey_coder_server.web.request import Request


async def shown(use: Dependencies, request: Request) -> SessionList:
    """Those that have not ended."""
    principal = request.principal
    found = await use.sessions.of_user(principal.user_id, use.clock.now())
    return SessionList([_info(each, principal.session_id) for each in found], len(found))


async def end(use: Dependencies, request: Request, session_id: str) -> None:
    """End one. Raises `NotFound` when it is no session of the person."""
    user = await person(use, request)
    session = await use.sessions.find(session_id)
    if session is None or session.user_id != user.user_id or session.revoked:
        raise NotFound("You have no such session; GET /v1/auth/sessions lists them.")
    await use.sessions.revoke(session_id)
    await note(use, request, user, "session.end", details=session_id)


async def end_all(use: Dependencies, request: Request, *, this_one: bool) -> int:
    """End all, with or without the one that asks; how many that were."""
    user = await person(use, request)
    keep = "" if this_one else request.principal.session_id or ""
    ended = await use.sessions.revoke_all(user.user_id, but=keep)
    await note(use, request, user, "session.end_all", details=f"{ended} sessions ended")
    return ended


def _info(session: Session, current: str | None) -> SessionInfo:
    return SessionInfo(
        session_id=session.session_id,
        current=session.session_id == current,
        created_at=_text(session.created_at),
        confirmed_at=_text(session.confirmed_at),
        expires_at=session.expires_at.isoformat(),
        second_factor=session.second_factor,
        address=session.address,
        agent=session.agent,
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
