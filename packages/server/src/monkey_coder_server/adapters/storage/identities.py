"""Identities at other providers, and whose they are."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text, UniqueConstraint, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.tables import metadata
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Transaction
from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.ports.sign_in import Identity

identities = Table(
    "identities",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.user_id"), nullable=False),
    Column("email", Text, nullable=False),
    Column("linked_at", BigInteger, nullable=False),
    UniqueConstraint("user_id", "provider"),
)
"""`email` is what the provider said when it was linked; nobody is found by it."""

_LINK = Query(insert_or_not(identities).on_conflict_do_nothing())
_FIND = Query(
    select(identities.c.user_id).where(
        identities.c.provider == bindparam("at_provider"), identities.c.subject == bindparam("wanted")
    )
)
_OF_USER = Query(
    select(identities.c.provider, identities.c.subject, identities.c.email)
    .where(identities.c.user_id == bindparam("user"))
    .order_by(identities.c.linked_at, identities.c.provider)
)
_UNLINK = Query(
    delete(identities).where(identities.c.user_id == bindparam("user"), identities.c.provider == bindparam("named"))
)
_UNLINKING = "identities of people"
"""One at a time, so that of two identities that go at once the last one stays."""


class SqlIdentities:
    """`ports.sign_in.Identities`. Writes are durable on return."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def find(self, provider: str, subject: str) -> str | None:
        """The id of the user an identity is linked to."""
        wanted: Parameters = {"at_provider": provider, "wanted": subject}
        row = await self._readers.read(lambda transaction: transaction.row(_FIND, wanted))
        return None if row is None else str(row[0])

    async def link(self, identity: Identity, user_id: str, at: datetime) -> None:
        """Link one for good. Raises `Conflict` when it is linked, or the user has another of that provider."""
        await self._writer.perform(partial(_link, identity, user_id, to_micros(at)))

    async def of_user(self, user_id: str) -> Sequence[Identity]:
        """What is linked to a user."""
        rows = await self._readers.read(lambda transaction: transaction.rows(_OF_USER, {"user": user_id}))
        return [Identity(*row) for row in rows]

    async def unlink(self, user_id: str, provider: str, *, unless_last_of: Collection[str] = ()) -> None:
        """Take an identity away. Raises `NotFound`, and `Conflict` for the last one of the named providers."""
        await self._writer.perform(partial(_unlink, user_id, provider, unless_last_of))


def _link(identity: Identity, user_id: str, at: int, transaction: Transaction) -> None:
    row: Parameters = {
        "provider": identity.provider,
        "subject": identity.subject,
        "user_id": user_id,
        "email": identity.email,
        "linked_at": at,
    }
    if not transaction.change(_LINK, row):
        raise Conflict("This identity is linked already, or your account has another one of this provider.")


def _unlink(user_id: str, provider: str, unless_last_of: Collection[str], transaction: Transaction) -> None:
    transaction.alone(_UNLINKING)
    linked = {row[0] for row in transaction.rows(_OF_USER, {"user": user_id})}
    if provider not in linked:
        message = f"No account at {provider} is linked to yours."
        raise NotFound(message)
    if unless_last_of and (linked - {provider}).isdisjoint(unless_last_of):
        raise Conflict("Nothing else opens this account: choose a password first, by a mail from /forgot-password.")
    transaction.change(_UNLINK, {"user": user_id, "named": provider})
