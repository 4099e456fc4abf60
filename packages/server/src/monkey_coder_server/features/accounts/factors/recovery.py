"""Recovery codes: for who lost their other factors."""

from collections.abc import Sequence

from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.ports.accounts import User


async def make(use: Dependencies, user: User) -> list[str]:
    """A new set in place of the old one; kept as digests only."""
    codes = use.factors.new_recovery_codes()
    digests = [_digests(use, user, code)[0] for code in codes]
    await use.factors.store.put_recovery_codes(user.user_id, digests)
    return list(codes)


async def take(use: Dependencies, user: User, code: str) -> bool:
    """Whether it is one of the person's; it is used up."""
    return await use.factors.store.use_recovery_code(user.user_id, _digests(use, user, code))


def _digests(use: Dependencies, user: User, code: str) -> Sequence[bytes]:
    plain = code.replace("-", "").lower()
    return use.factors.recovery_digests(f"{user.user_id} {plain}")
