"""People."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.people import accounts, users
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.ports.accounts import User

COLUMNS = (
    users.c.user_id,
    users.c.account_id,
    users.c.email,
    users.c.name,
    users.c.password_hash,
    users.c.plan,
    users.c.roles,
    users.c.created_at,
    users.c.email_verified_at,
)
_USER: Select[Any] = select(*COLUMNS)
_ADD_ACCOUNT = Query(insert_or_not(accounts).on_conflict_do_nothing())
_ADD_USER = Query(insert_or_not(users).on_conflict_do_nothing())
_BY_EMAIL = Query(_USER.where(users.c.email_folded == bindparam("folded")))
_BY_ID = Query(_USER.where(users.c.user_id == bindparam("wanted")))
_OF_ACCOUNT = Query(
    _USER.where(users.c.account_id == bindparam("account")).order_by(users.c.created_at, users.c.user_id)
)
_ALL = Query(_USER.order_by(users.c.created_at, users.c.user_id))
_SET_PASSWORD = Query(
    update(users).where(users.c.user_id == bindparam("wanted")).values(password_hash=bindparam("replacement"))
)
_SET_EMAIL = Query(
    update(users)
    .where(users.c.user_id == bindparam("wanted"))
    .values(email=bindparam("address"), email_folded=bindparam("folded"), email_verified_at=bindparam("at"))
)


class SqlAccounts:
    """`ports.accounts.Accounts`. Writes are durable on return."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def create(self, user: User) -> None:
        """Store user and account. Raises `Conflict` when the address is taken."""
        await self._writer.perform(partial(add_user, user))

    async def by_email(self, email: str) -> User | None:
        """The user of an address, compared casefolded."""
        row = await self._readers.read(lambda transaction: transaction.row(_BY_EMAIL, {"folded": _fold(email)}))
        return None if row is None else read_user(row)

    async def by_id(self, user_id: str) -> User | None:
        """The user of an id."""
        row = await self._readers.read(lambda transaction: transaction.row(_BY_ID, {"wanted": user_id}))
        return None if row is None else read_user(row)

    async def of_account(self, account_id: str) -> Sequence[User]:
        """Whose account it is, oldest first; of an organization its service accounts."""
        rows = await self._readers.read(lambda transaction: transaction.rows(_OF_ACCOUNT, {"account": account_id}))
        return [read_user(row) for row in rows]

    async def list_users(self) -> Sequence[User]:
        """All users, oldest first."""
        rows = await self._readers.read(lambda transaction: transaction.rows(_ALL, {}))
        return [read_user(row) for row in rows]

    async def set_password(self, user_id: str, password_hash: str) -> None:
        """Replace the password hash. Raises `NotFound`."""
        await self._writer.perform(partial(_set_password, user_id, password_hash))

    async def set_email(self, user_id: str, email: str, *, verified_at: datetime) -> None:
        """Replace, or only confirm, an address. Raises `NotFound`, and `Conflict` when the address is taken."""
        await self._writer.perform(partial(_set_email, user_id, email.strip(), to_micros(verified_at)))


def _fold(email: str) -> str:
    return email.strip().casefold()


def add_user(user: User, transaction: Transaction) -> None:
    """Store a user, and the account if it is new. Raises `Conflict` when the address is taken."""
    created_at = to_micros(user.created_at)
    transaction.change(_ADD_ACCOUNT, {"account_id": user.account_id, "created_at": created_at})
    added = transaction.change(
        _ADD_USER,
        {
            "user_id": user.user_id,
            "account_id": user.account_id,
            "email": user.email,
            "email_folded": _fold(user.email),
            "name": user.name,
            "password_hash": user.password_hash,
            "plan": user.plan,
            "roles": json.dumps(user.roles),
            "created_at": created_at,
            "email_verified_at": None if user.email_verified_at is None else to_micros(user.email_verified_at),
        },
    )
    if not added:
        raise Conflict("An account with this e-mail address exists already; log in instead.")


def _set_password(user_id: str, password_hash: str, transaction: Transaction) -> None:
    if not transaction.change(_SET_PASSWORD, {"wanted": user_id, "replacement": password_hash}):
        message = f"There is no user {user_id}."
        raise NotFound(message)


def _set_email(user_id: str, email: str, verified_at: int, transaction: Transaction) -> None:
    owner = transaction.row(_BY_EMAIL, {"folded": _fold(email)})
    if owner is not None and owner[0] != user_id:
        raise Conflict("An account with this e-mail address exists already.")
    values = {"wanted": user_id, "address": email, "folded": _fold(email), "at": verified_at}
    if not transaction.change(_SET_EMAIL, values):
        message = f"There is no user {user_id}."
        raise NotFound(message)


def read_user(row: Row) -> User:
    """A user by a row of `COLUMNS`."""
    user_id, account_id, email, name, password_hash, plan, roles, created_at, verified_at = row
    return User(
        user_id,
        account_id,
        email,
        name,
        password_hash,
        plan,
        tuple(json.loads(roles)),
        from_micros(created_at),
        None if verified_at is None else from_micros(verified_at),
    )
