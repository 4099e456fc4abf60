"""Roles of operators as rows."""

from collections.abc import Sequence
from functools import partial

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.factor_tables import HAS_FACTOR, LAST_FACTOR
from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.people import operators, users
from monkey_coder_server.adapters.storage.sessions import end_acting
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Transaction
from monkey_coder_server.domain.errors import Conflict
from monkey_coder_server.domain.operators import OperatorRole
from monkey_coder_server.ports.operators import Appointment

_NO_FACTOR = (
    "An operator needs a second factor, and this person has none: they add one first, as docs/how-to/mfa.md says."
)
_OF_USER = Query(select(operators.c.role).where(operators.c.user_id == bindparam("user")))
_ALL = Query(
    select(operators.c.user_id, operators.c.role, operators.c.given_by, operators.c.given_at, users.c.email)
    .join(users, users.c.user_id == operators.c.user_id)
    .order_by(operators.c.given_at, operators.c.user_id, operators.c.role)
)
_ADD = Query(insert_or_not(operators).on_conflict_do_nothing())
_DROP = Query(
    delete(operators).where(operators.c.user_id == bindparam("user"), operators.c.role == bindparam("wanted"))
)


class SqlOperators:
    """`ports.operators.Operators`."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def roles(self, user_id: str) -> frozenset[OperatorRole]:
        """What somebody is; nothing for nearly everybody."""
        rows = await self._readers.read(lambda transaction: transaction.rows(_OF_USER, {"user": user_id}))
        return frozenset(OperatorRole(role) for (role,) in rows)

    async def list(self) -> Sequence[tuple[Appointment, str]]:
        """All of them, oldest first, with the address of each."""
        rows = await self._readers.read(lambda transaction: transaction.rows(_ALL, {}))
        return [
            (Appointment(user_id, OperatorRole(role), by, from_micros(at)), email)
            for user_id, role, by, at, email in rows
        ]

    async def appoint(self, appointment: Appointment) -> None:
        """Give a role. Raises `Conflict` for who has it already, and for who has no second factor."""
        await self._writer.perform(partial(_appoint, appointment))

    async def dismiss(self, user_id: str, roles: frozenset[OperatorRole]) -> frozenset[OperatorRole]:
        """Take roles, and end the sessions in which that operator acts for others; those which were taken."""
        return await self._writer.perform(partial(_dismiss, user_id, roles))


def _appoint(appointment: Appointment, transaction: Transaction) -> None:
    transaction.alone(LAST_FACTOR)
    if transaction.row(HAS_FACTOR, {"user": appointment.user_id}) is None:
        raise Conflict(_NO_FACTOR)
    row: Parameters = {
        "user_id": appointment.user_id,
        "role": appointment.role.value,
        "given_by": appointment.by,
        "given_at": to_micros(appointment.at),
    }
    if not transaction.change(_ADD, row):
        message = f"This person has the role `{appointment.role}` already."
        raise Conflict(message)


def _dismiss(user_id: str, roles: frozenset[OperatorRole], transaction: Transaction) -> frozenset[OperatorRole]:
    taken = frozenset(role for role in roles if transaction.change(_DROP, {"user": user_id, "wanted": role.value}))
    if taken:
        end_acting(user_id, transaction)
    return taken
