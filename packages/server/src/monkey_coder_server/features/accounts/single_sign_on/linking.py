"""What opens a person's account beside their password: linked by who has proved that it is theirs, and taken away."""

from monkey_coder_server.domain.confirmation import SecondFactors
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import second_step
from monkey_coder_server.features.accounts.notices import note_and_tell
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.sign_in import Identity
from monkey_coder_server.web.request import Request


async def link(use: Dependencies, request: Request, user: User, identity: Identity) -> None:
    """From now on this identity opens the person's account. Raises `Conflict`."""
    await use.identities.link(identity, user.user_id, use.clock.now())
    told = {"target": user.user_id, "details": identity.provider, "about": title_of(use, identity.provider)}
    await note_and_tell(use, request, user, "identity.link", **told)


async def unlink(use: Dependencies, request: Request, user: User, provider: str, *, session_id: str) -> int:
    """Take an identity away and end every session but one, and log-ins that wait; how many sessions those were.

    Whoever has the account at the provider may have begun one. Raises `NotFound`, `Conflict` for the last way in.
    """
    unless_last_of = () if await _another_way(use, user) else tuple(use.sign_in)
    await use.identities.unlink(user.user_id, provider, unless_last_of=unless_last_of)
    await use.tickets.withdraw(second_step.PURPOSE, user.user_id)
    ended = await use.sessions.revoke_all(user.user_id, but=session_id)
    told = {"details": f"{provider}, {ended} sessions ended", "about": title_of(use, provider)}
    await note_and_tell(use, request, user, "identity.unlink", target=user.user_id, **told)
    return ended


def title_of(use: Dependencies, provider: str) -> str:
    """What people call a provider, also one that is not set up any more."""
    known = use.sign_in.get(provider)
    return provider if known is None else known.title


async def _another_way(use: Dependencies, user: User) -> bool:
    """Whether the person logs in without any provider: by password, or by a passkey where those count."""
    if user.password_hash:
        return True
    counts = use.factors.rules.mode is not SecondFactors.OFF
    return counts and bool(await use.factors.store.passkeys(user.user_id))
