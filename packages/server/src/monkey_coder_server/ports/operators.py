"""Who runs the gateway."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.operators import OperatorRole


@dataclass(frozen=True, slots=True)
class Appointment:
    """A person in a role. `by` is the actor who gave it."""

    user_id: str
    role: OperatorRole
    by: str
    at: datetime


class Operators(Protocol):
    """Roles of operators. Writes are durable on return, and every request asks: what was taken is gone at once."""

    async def roles(self, user_id: str) -> frozenset[OperatorRole]:
        """What somebody is; nothing for nearly everybody."""

    async def list(self) -> Sequence[tuple[Appointment, str]]:
        """All of them, oldest first, with the address of each."""

    async def appoint(self, appointment: Appointment) -> None:
        """Give a role. Raises `Conflict` for who has it already, and for who has no second factor."""

    async def dismiss(self, user_id: str, roles: frozenset[OperatorRole]) -> frozenset[OperatorRole]:
        """Take roles, and end the sessions in which that operator acts for others; those which were taken."""
