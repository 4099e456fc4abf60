"""What the operator's commands about operators' roles do, on the books of the configured gateway."""

from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.operators import OperatorRole
from monkey_coder_server.features.accounts import operator_roles
from monkey_coder_server.features.accounts.limits import user_of
from monkey_coder_server.settings import Settings
from monkey_coder_server.web.operating import COMMANDS, checked_reason


async def grant(settings: Settings, *, email: str, role: str, reason: str, unproven: bool) -> list[str]:
    """Give a person a role; the line that says so. Raises `GatewayError`."""
    async with open_books(settings) as books:
        user = await user_of(books.accounts, email)
        if not unproven:
            operator_roles.refuse_unproven(user)
        await operator_roles.appoint(books.accounts, COMMANDS, user, operator_roles.checked_role(role), reason=reason)
    return [f"{user.email} has the role {role} now"]


async def revoke(settings: Settings, *, email: str, role: str | None, reason: str) -> list[str]:
    """Take a role from a person, or all of them; the line that says so. Raises `GatewayError`."""
    why = checked_reason(reason)
    roles = frozenset(OperatorRole) if role is None else frozenset({operator_roles.checked_role(role)})
    async with open_books(settings) as books:
        user = await user_of(books.accounts, email)
        taken = await operator_roles.dismiss(books.accounts, COMMANDS, user, roles, reason=why)
    if not taken:
        message = f"{user.email} is no operator{'' if role is None else f' in the role {role}'}."
        raise NotFound(message)
    return [f"{user.email} lost the role {each}" for each in sorted(taken)]


async def list_all(settings: Settings) -> list[dict[str, str]]:
    """Everybody in every role, oldest first."""
    async with open_books(settings) as books:
        found = await books.storage.operators.list()
        await books.note("operators.list", "every operator")
    return [
        {
            "user_id": each.user_id,
            "email": email,
            "role": each.role.value,
            "given_by": each.by,
            "given_at": each.at.isoformat(),
        }
        for each, email in found
    ]
