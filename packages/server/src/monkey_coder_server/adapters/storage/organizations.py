"""Organizations as rows: made, changed, and who belongs to them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, delete, func, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage import holds, key_rows, tickets
from monkey_coder_server.adapters.storage.accounts import COLUMNS as USER_COLUMNS
from monkey_coder_server.adapters.storage.accounts import add_user, read_user
from monkey_coder_server.adapters.storage.bounded import refuse_full
from monkey_coder_server.adapters.storage.moments import from_micros, optional_from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.people import accounts, memberships, organizations, users
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Row, Transaction
from monkey_coder_server.domain.errors import Conflict, Forbidden, NotFound
from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.roles import SCOPES_OF, Role, may_give
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.organizations import Change, Member, Membership, Organization

_MEMBERS = "members of organizations"
"""One change of members at a time, so that two owners who leave at once are not both let go."""
_NOBODY = "This organization has no member of that id."
_LAST_OWNER = "This organization has no other owner: make somebody else one first."
_NONE = "There is no such organization any more."
_BUSY = (
    "Requests of this organization are still running, or gateways still keep credit ready for some: revoke its keys, "
    "and delete it some minutes later."
)
_EMPTY_IT = (
    "Use it up, or ask the gateway's operator to take it back (`monkey-server admin refund --organization`); then "
    "delete it."
)
_NO_SCOPES: frozenset[str] = frozenset()

_ORGANIZATION = (
    organizations.c.account_id,
    organizations.c.name,
    organizations.c.created_at,
    organizations.c.second_factor_required,
    organizations.c.archived_at,
)
_MEMBERSHIP = (memberships.c.account_id, memberships.c.user_id, memberships.c.role, memberships.c.created_at)
_OWN = (memberships.c.account_id == bindparam("account"), memberships.c.user_id == bindparam("user"))
_KEPT = (organizations.c.account_id == bindparam("account"), organizations.c.archived_at.is_(None))
_ADD_ACCOUNT = Query(insert(accounts))
_ADD = Query(insert(organizations))
_FIND = Query(select(*_ORGANIZATION).where(organizations.c.account_id == bindparam("account")))
_OF_USER = Query(
    select(*_ORGANIZATION, *_MEMBERSHIP)
    .join(memberships, memberships.c.account_id == organizations.c.account_id)
    .where(memberships.c.user_id == bindparam("user"))
    .order_by(organizations.c.created_at, organizations.c.account_id)
)
_UPDATE = Query(
    update(organizations).where(*_KEPT).values(name=bindparam("called"), second_factor_required=bindparam("strict"))
)
_MEMBERS_OF = Query(
    select(*USER_COLUMNS, *_MEMBERSHIP)
    .join(memberships, memberships.c.user_id == users.c.user_id)
    .where(memberships.c.account_id == bindparam("account"))
    .order_by(memberships.c.created_at, memberships.c.user_id)
)
_ADD_MEMBER = Query(insert_or_not(memberships).on_conflict_do_nothing())
_ROLE = Query(select(memberships.c.role).where(*_OWN))
_OWNERS = Query(
    select(func.count()).where(
        memberships.c.account_id == bindparam("account"),
        memberships.c.role == literal_column(f"'{Role.OWNER.value}'"),
    )
)
_HOW_MANY = {
    column: Query(select(func.count()).where(memberships.c[column] == bindparam("whose")))
    for column in ("account_id", "user_id")
}
_FULL = "This organization has {} members, which is the most."
_EVERYWHERE = "You belong to {} organizations, which is the most; leave one first."
_SET_ROLE = Query(update(memberships).where(*_OWN).values(role=bindparam("given")))
_REMOVE = Query(delete(memberships).where(*_OWN))
_IS_KEPT = Query(select(organizations.c.account_id).where(*_KEPT))
_ARCHIVE = Query(update(organizations).where(*_KEPT).values(archived_at=bindparam("at")))
_REMOVE_ALL = Query(delete(memberships).where(memberships.c.account_id == bindparam("account")))


class SqlOrganizations:
    """`ports.organizations.Organizations`. Writes are durable on return; `keys_changed` is told of changed keys."""

    def __init__(self, writer: Writing, readers: Reading, *, keys_changed: Callable[[], Awaitable[None]]) -> None:
        self._writer = writer
        self._readers = readers
        self._keys_changed = keys_changed

    async def create(self, organization: Organization, owner: Membership, *, most: int | None = None) -> None:
        """Store an organization with its first member. Raises `Conflict` when they belong to `most`."""
        await self._writer.perform(partial(_create, organization, owner, most))

    async def find(self, account_id: str) -> Organization | None:
        """The organization of an account, deleted ones included; None for an account that is a person's own."""
        row = await self._readers.read(lambda transaction: transaction.row(_FIND, {"account": account_id}))
        return None if row is None else _organization(row)

    async def of_user(self, user_id: str) -> Sequence[tuple[Organization, Membership]]:
        """The organizations somebody belongs to, oldest first."""
        rows = await self._readers.read(lambda transaction: transaction.rows(_OF_USER, {"user": user_id}))
        split = len(_ORGANIZATION)
        return [(_organization(row[:split]), _membership(row[split:])) for row in rows]

    async def update(self, organization: Organization) -> bool:
        """Store what is changed of an organization; False when there is none."""
        return await self._writer.perform(partial(_update, organization))

    async def members(self, account_id: str) -> Sequence[Member]:
        """Everybody in an organization, oldest first."""
        rows = await self._readers.read(lambda transaction: transaction.rows(_MEMBERS_OF, {"account": account_id}))
        split = len(USER_COLUMNS)
        return [Member(read_user(row[:split]), _membership(row[split:])) for row in rows]

    async def add(self, membership: Membership, *, most: int | None = None) -> None:
        """Take somebody in. Raises `NotFound` when it is deleted, `Conflict` when they are in it or it has `most`."""
        await self._writer.perform(partial(_join, membership, most))

    async def add_service(self, user: User, membership: Membership, *, most: int | None = None) -> None:
        """Make a user who cannot log in, in an organization. Raises `Conflict` when it has `most` members."""
        await self._writer.perform(partial(_add_service, user, membership, most))

    async def change(self, change: Change) -> None:
        """Give a member another role, or take them out, with what their keys may do.

        Raises `NotFound`, `Forbidden` when `by` does not cover the role they have, `Conflict` for the last owner.
        """
        await self._writer.perform(partial(_change, change))
        await self._keys_changed()

    async def archive(self, account_id: str, at: datetime, *, invitations: str) -> int:
        """Delete an organization for all but the books. Raises `NotFound`, `Conflict` while it has credit or holds."""
        revoked = await self._writer.perform(partial(_archive, account_id, at, invitations))
        await self._keys_changed()
        return revoked


def _create(organization: Organization, owner: Membership, most: int | None, transaction: Transaction) -> None:
    transaction.alone(_MEMBERS)
    refuse_full(transaction, _HOW_MANY["user_id"], {"whose": owner.user_id}, most=most, told=_EVERYWHERE)
    created_at = to_micros(organization.created_at)
    transaction.change(_ADD_ACCOUNT, {"account_id": organization.account_id, "created_at": created_at})
    row: Parameters = {
        "account_id": organization.account_id,
        "name": organization.name,
        "second_factor_required": organization.second_factor_required,
        "created_at": created_at,
        "archived_at": None,
    }
    transaction.change(_ADD, row)
    _add(owner, transaction)


def _update(organization: Organization, transaction: Transaction) -> bool:
    values: Parameters = {
        "account": organization.account_id,
        "called": organization.name,
        "strict": organization.second_factor_required,
    }
    return bool(transaction.change(_UPDATE, values))


def _add(membership: Membership, transaction: Transaction) -> None:
    row: Parameters = {
        "account_id": membership.account_id,
        "user_id": membership.user_id,
        "role": membership.role.value,
        "created_at": to_micros(membership.created_at),
    }
    if not transaction.change(_ADD_MEMBER, row):
        raise Conflict("They are a member of this organization already; change their role instead.")


def _join(membership: Membership, most: int | None, transaction: Transaction) -> None:
    transaction.alone(_MEMBERS)
    if transaction.row(_IS_KEPT, {"account": membership.account_id}) is None:
        raise NotFound(_NONE)
    refuse_full(transaction, _HOW_MANY["account_id"], {"whose": membership.account_id}, most=most, told=_FULL)
    _add(membership, transaction)


def _archive(account_id: str, at: datetime, invitations: str, transaction: Transaction) -> int:
    transaction.alone(_MEMBERS)
    wallet = holds.lock_wallet(transaction, account_id)
    if wallet.held:
        raise Conflict(_BUSY)
    if wallet.balance:
        message = f"This organization has {usd(wallet.balance)} USD of credit. {_EMPTY_IT}"
        raise Conflict(message)
    if not transaction.change(_ARCHIVE, {"account": account_id, "at": to_micros(at)}):
        raise NotFound(_NONE)
    tickets.withdraw(invitations, account_id, transaction)
    transaction.change(_REMOVE_ALL, {"account": account_id})
    return key_rows.revoke_of(transaction, account_id, Holder(HolderKind.ORGANIZATION, account_id), at)


def _add_service(user: User, membership: Membership, most: int | None, transaction: Transaction) -> None:
    add_user(user, transaction)
    _join(membership, most, transaction)


def _change(change: Change, transaction: Transaction) -> None:
    transaction.alone(_MEMBERS)
    own: Parameters = {"account": change.account_id, "user": change.user_id}
    found = transaction.row(_ROLE, own)
    if found is None:
        raise NotFound(_NOBODY)
    role = Role(found[0])
    if change.by is not None and not may_give(change.by, role):
        message = f"Their role is `{role}`, which may do more than you: ask an owner."
        raise Forbidden(message)
    if role is Role.OWNER and change.role is not Role.OWNER:
        [(owners,)] = transaction.rows(_OWNERS, {"account": change.account_id})
        if owners == 1:
            raise Conflict(_LAST_OWNER)
    if change.role is None:
        transaction.change(_REMOVE, own)
    else:
        transaction.change(_SET_ROLE, {**own, "given": change.role.value})
    allowed = _NO_SCOPES if change.role is None else SCOPES_OF[change.role]
    key_rows.narrow(transaction, change.account_id, change.user_id, allowed, change.at)


def _organization(row: Row) -> Organization:
    account_id, name, created_at, strict, archived_at = row
    return Organization(account_id, name, from_micros(created_at), bool(strict), optional_from_micros(archived_at))


def _membership(row: Row) -> Membership:
    account_id, user_id, role, created_at = row
    return Membership(account_id, user_id, Role(role), from_micros(created_at))
