"""An operator in a person's place: for minutes, with a reason, seen by the person, and changing nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.operators import OPERATOR
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.operator_trail import tell
from monkey_coder_server.ports.accounts import Session, User
from monkey_coder_server.ports.tickets import digest_of
from monkey_coder_server.web.operating import Actor, checked_reason
from monkey_coder_server.web.request import LONGEST_AGENT

MOST_MINUTES = 15
"""As long as one access token is good: there is no other after it."""


@dataclass(frozen=True, slots=True)
class Acting:
    """A token, and the session it is of."""

    access_token: str
    until: datetime
    session_id: str


async def impersonate(use: Dependencies, by: Actor, user: User, *, reason: str, minutes: int) -> Acting:
    """An access token that sees what a person sees and changes nothing, until its time is over.

    Raises `InvalidRequest`.
    """
    if not 1 <= minutes <= MOST_MINUTES:
        message = f"An operator acts for somebody for 1 to {MOST_MINUTES} minutes (`minutes`)."
        raise InvalidRequest(message)
    if user.is_service:
        raise InvalidRequest("A service account is no person and sees nothing by itself: act for one of its owners.")
    why, now = checked_reason(reason), use.clock.now()
    until = now + timedelta(minutes=minutes)
    session = Session(
        use.ids.new("ses"),
        user.user_id,
        digest_of(use.random_text()),
        until,
        created_at=now,
        address=by.address,
        agent=f"{OPERATOR}: {why}"[:LONGEST_AGENT],
        impersonator=by.name,
    )
    await tell(
        use,
        by,
        "session.impersonate",
        target=session.session_id,
        account_id=user.account_id,
        details=f"for {minutes} minutes: {why}",
        on_behalf_of=user.user_id,
    )
    await use.sessions.open(session)
    token, _ = use.tokens.issue(
        user_id=user.user_id, account_id=user.account_id, session_id=session.session_id, now=int(now.timestamp())
    )
    return Acting(token, until, session.session_id)
