"""Who said yes to a log-in of a command line, and whether they still would."""

from datetime import datetime

from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.record import Record


class Approver(Record, frozen=True):
    """A person, by the session they answered in."""

    user_id: str
    session_id: str


async def standing(use: Dependencies, approver: Approver, at: datetime) -> User | None:
    """The person, unless the session has ended since: who logs out everywhere takes back what was not fetched yet."""
    session = await use.sessions.find(approver.session_id)
    if session is None or session.revoked or session.expires_at <= at or session.user_id != approver.user_id:
        return None
    return await use.accounts.by_id(approver.user_id)
