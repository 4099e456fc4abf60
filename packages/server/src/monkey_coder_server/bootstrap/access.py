"""What the operator's commands about keys and people's access do, on the books of the configured gateway."""

from monkey_coder_server.bootstrap.books import open_books, peppers_of
from monkey_coder_server.features.accounts.limits import user_of
from monkey_coder_server.features.accounts.operating import impersonating
from monkey_coder_server.settings import Settings
from monkey_coder_server.web.operating import COMMANDS


async def impersonate(settings: Settings, *, email: str, reason: str, minutes: int) -> dict[str, str]:
    """An access token that sees what a person sees and changes nothing, until its time is over.

    Raises `NotFound`, `InvalidRequest`.
    """
    async with open_books(settings) as books:
        user = await user_of(books.accounts, email)
        made = await impersonating.impersonate(books.accounts, COMMANDS, user, reason=reason, minutes=minutes)
    return {
        "access_token": made.access_token,
        "expires_at": made.until.isoformat(),
        "session_id": made.session_id,
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
