"""What the operator's commands about keys and people's access do, on the books of the configured gateway."""

from datetime import timedelta
from hashlib import sha256

from monkey_coder_server.bootstrap.books import OPERATOR, open_books, peppers_of
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.accounts.limits import user_of
from monkey_coder_server.ports.accounts import AuditEntry, Session
from monkey_coder_server.settings import Settings
from monkey_coder_server.web.request import LONGEST_AGENT

MOST_MINUTES = 15
"""As long as one access token is good: there is no other after it."""


async def impersonate(settings: Settings, *, email: str, reason: str, minutes: int) -> dict[str, str]:
    """An access token that sees what a person sees and changes nothing, until its time is over.

    Raises `NotFound`, `InvalidRequest`.
    """
    if not 1 <= minutes <= MOST_MINUTES or not reason.strip() or not reason.isprintable():
        message = f"Say why in one line (--reason), and for 1 to {MOST_MINUTES} minutes."
        raise InvalidRequest(message)
    async with open_books(settings) as books:
        use, now = books.accounts, books.clock.now()
        user = await user_of(use, email)
        until = now + timedelta(minutes=minutes)
        session = Session(
            use.ids.new("ses"),
            user.user_id,
            sha256(use.random_text().encode()).digest(),
            until,
            created_at=now,
            agent=f"operator: {reason.strip()}"[:LONGEST_AGENT],
            impersonator=OPERATOR,
        )
        await books.storage.audit.record(
            AuditEntry(
                OPERATOR,
                "session.impersonate",
                target=session.session_id,
                at=now,
                account_id=user.account_id,
                details=f"for {minutes} minutes: {reason.strip()}",
                on_behalf_of=user.user_id,
            )
        )
        await use.sessions.open(session)
        token, _ = use.tokens.issue(
            user_id=user.user_id,
            account_id=user.account_id,
            session_id=session.session_id,
            now=int(now.timestamp()),
        )
    return {
        "access_token": token,
        "expires_at": until.isoformat(),
        "session_id": session.session_id,
        "user_id": user.user_id,
        "account_id": user.account_id,
    }


async def list_keys(settings: Settings, *, only_old: bool) -> list[dict[str, str]]:
    """The keys in use, each with its pepper: `current`, `old`, `missing` from KEY_PEPPER, or `unknown`.

    Keys of releases before peppers had versions are unknown: they were digested with what KEY_PEPPER was then.
    """
    current, *old = peppers_of(settings).versions
    words = {current: "current", "": "unknown"} | dict.fromkeys(old, "old")
    async with open_books(settings) as books:
        now = books.clock.now()
        await books.note("keys.list", "every account")
        keys = [
            key
            for key in books.storage.keys.every()
            if key.revoked_at is None and (key.expires_at is None or key.expires_at > now)
        ]
    shown = [
        {
            "key_id": key.key_id,
            "account_id": key.account_id,
            "name": key.name,
            "prefix": key.prefix,
            "pepper": words.get(key.pepper, "missing"),
            "last_used": key.last_used.isoformat() if key.last_used else "",
        }
        for key in keys
    ]
    return [each for each in shown if not only_old or each["pepper"] != "current"]
