"""Who has a share in an account: its own person, and the members of an organization."""

from monkey_coder_server.features.accounts.dependencies import Dependencies


async def insider(use: Dependencies, user_id: str, account_id: str) -> bool:
    """Whether a person has a share in an account; of whom nothing is known any more, it is taken as so."""
    user = await use.accounts.by_id(user_id)
    if user is None or user.account_id == account_id:
        return True
    return await use.memberships.find(account_id, user_id) is not None
