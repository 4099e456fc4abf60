"""Who becomes an operator, and who is one no longer."""

from monkey_coder_server.domain.errors import Conflict, InvalidRequest
from monkey_coder_server.domain.operators import OperatorRole
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.operator_trail import tell
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.operators import Appointment
from monkey_coder_server.web.operating import Actor, checked_reason

_UNPROVEN = "Nobody has proved to read mail at this address, so it may be anybody's: the person confirms it first."


def checked_role(text: str) -> OperatorRole:
    """A role by its name. Raises `InvalidRequest`."""
    try:
        return OperatorRole(text)
    except ValueError as unknown:
        message = f"The field `role` must be one of {', '.join(OperatorRole)}."
        raise InvalidRequest(message) from unknown


def refuse_unproven(user: User) -> None:
    """Raises `Conflict` for an address that anybody may have registered."""
    if user.email_verified_at is None:
        raise Conflict(_UNPROVEN)


async def appoint(use: Dependencies, by: Actor, user: User, role: OperatorRole, *, reason: str) -> Appointment:
    """Give a person a role. Raises `InvalidRequest`, `Conflict` for who has it, or has no second factor."""
    why = checked_reason(reason)
    appointment = Appointment(user.user_id, role, by.name, use.clock.now())
    await use.operators.appoint(appointment)
    await tell(use, by, "operator.appoint", target=user.user_id, account_id=user.account_id, details=f"{role}; {why}")
    return appointment


async def dismiss(
    use: Dependencies, by: Actor, user: User, roles: frozenset[OperatorRole], *, reason: str
) -> frozenset[OperatorRole]:
    """Take roles from a person; those they had. What they see in others' places ends with any of them."""
    taken = await use.operators.dismiss(user.user_id, roles)
    for role in sorted(taken):
        await tell(
            use, by, "operator.dismiss", target=user.user_id, account_id=user.account_id, details=f"{role}; {reason}"
        )
    return taken
