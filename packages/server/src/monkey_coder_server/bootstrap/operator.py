"""What the operator's commands do, on the books of the configured gateway."""

from dataclasses import dataclass

from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.money import parse_usd, usd
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.settings import Settings


@dataclass(frozen=True, slots=True)
class NewUser:
    """What `admin create-user` was told. `credit_usd` None means what every new account starts with."""

    email: str
    password: str | None
    credit_usd: str | None
    plan: str | None


async def create_user(settings: Settings, wish: NewUser) -> dict[str, str]:
    """An account with a wallet and a first key. Raises `GatewayError`."""
    credit = _amount(wish.credit_usd if wish.credit_usd is not None else settings.trial_credit_usd)
    async with open_books(settings) as books:
        made = await operator.create_user(
            books.accounts, email=wish.email, password=wish.password, credit=credit, plan=wish.plan
        )
    return {
        "user_id": made.user.user_id,
        "account_id": made.user.account_id,
        "api_key": made.api_key,
        "credit_usd": usd(made.wallet.balance),
    }


async def list_users(settings: Settings) -> list[dict[str, str]]:
    """Every account with its balance, oldest first."""
    async with open_books(settings) as books:
        users = await operator.list_users(books.accounts)
        await books.note("users.list", "every account")
    return [
        {
            "user_id": user.user_id,
            "account_id": user.account_id,
            "email": user.email,
            "plan": books.accounts.account_plans.standing(user.account_id, books.clock.now()),
            "balance_usd": usd(wallet.balance),
            "held_usd": usd(wallet.held),
            "created_at": user.created_at.isoformat(),
        }
        for user, wallet in users
    ]


async def remove_factors(settings: Settings, *, email: str, reason: str) -> int:
    """Take away a person's second factors; how many they were. Raises `GatewayError`."""
    async with open_books(settings) as books:
        return await operator.remove_factors(books.accounts, email=email, reason=reason)


async def route_lines(settings: Settings) -> list[str]:
    """Every served route: method, path, credential, scope."""
    async with open_gateway(settings) as gateway:
        return [
            f"{route.method:7} {path:44} {route.auth:8} {route.scope or '-'}"
            for path, route in sorted(gateway.application.routes, key=lambda entry: (entry[0], entry[1].method))
        ]


def _amount(text: str) -> int:
    try:
        return parse_usd(text)
    except ValueError as wrong:
        raise InvalidRequest(str(wrong)) from wrong
