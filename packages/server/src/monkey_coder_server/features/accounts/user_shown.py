"""A user as the wire shows them."""

from monkey_coder_protocol.auth import UserInfo
from monkey_coder_server.domain.money import cents, usd
from monkey_coder_server.features.accounts.account_plans import plan_now
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.ports.accounts import User

DEVELOPER = "developer"


async def user_info(use: Dependencies, user: User) -> UserInfo:
    """The user with the balance of their wallet and the plan of their own account."""
    wallet = await use.ledger.wallet(user.account_id)
    return UserInfo(
        id=user.user_id,
        email=user.email,
        name=user.name,
        credits=cents(wallet.balance)[0],
        credit_usd=usd(wallet.balance),
        subscription_tier=await plan_now(use, user.account_id),
        is_developer=DEVELOPER in user.roles,
        roles=list(user.roles),
    )
