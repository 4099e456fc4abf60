"""Who belongs to which organization."""

from sqlalchemy import bindparam, select

from monkey_coder_server.adapters.storage.moments import from_micros
from monkey_coder_server.adapters.storage.operations import Reading
from monkey_coder_server.adapters.storage.people import memberships, organizations
from monkey_coder_server.adapters.storage.transaction import Query, Row
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.ports.organizations import Membership

_FIND = Query(
    select(
        memberships.c.account_id,
        memberships.c.user_id,
        memberships.c.role,
        memberships.c.created_at,
        organizations.c.second_factor_required,
    )
    .join(organizations, organizations.c.account_id == memberships.c.account_id)
    .where(memberships.c.account_id == bindparam("account"), memberships.c.user_id == bindparam("user"))
)


class SqlMemberships:
    """`ports.organizations.Memberships`."""

    def __init__(self, readers: Reading) -> None:
        self._readers = readers

    async def find(self, account_id: str, user_id: str) -> Membership | None:
        """What a person is in an organization; None for who is no member, and for no organization."""
        wanted = {"account": account_id, "user": user_id}
        row = await self._readers.read(lambda transaction: transaction.row(_FIND, wanted))
        return None if row is None else _membership(row)


def _membership(row: Row) -> Membership:
    account_id, user_id, role, created_at, strict = row
    return Membership(account_id, user_id, Role(role), from_micros(created_at), bool(strict))
