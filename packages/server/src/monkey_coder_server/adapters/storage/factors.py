"""Second factors of people."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import (
    Select,
    and_,
    bindparam,
    delete,
    false,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.bounded import refuse_full
from monkey_coder_server.adapters.storage.factor_tables import (
    HAS_FACTOR,
    LAST_FACTOR,
    passkeys,
    recovery_codes,
    totp_factors,
)
from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.people import operators, sessions
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Row, Transaction, change
from monkey_coder_server.domain.errors import Conflict
from monkey_coder_server.ports.factors import Passkey, Totp

_ONE: Any = literal_column("1")
_OF_USER: Any = bindparam("user")
_TOTP = Query(
    select(totp_factors.c.user_id, totp_factors.c.secret, totp_factors.c.last_step, totp_factors.c.created_at).where(
        totp_factors.c.user_id == _OF_USER
    )
)
_DROP_TOTP = Query(delete(totp_factors).where(totp_factors.c.user_id == _OF_USER))
_ADD_TOTP = Query(insert(totp_factors))
_USE_STEP = Query(
    update(totp_factors)
    .where(totp_factors.c.user_id == _OF_USER, totp_factors.c.last_step < bindparam("step"))
    .values(last_step=bindparam("step"), secret=bindparam("sealed"))
)
_PASSKEY_COLUMNS = (
    passkeys.c.passkey_id,
    passkeys.c.user_id,
    passkeys.c.credential_id,
    passkeys.c.public_key,
    passkeys.c.sign_count,
    passkeys.c.name,
    passkeys.c.created_at,
    passkeys.c.last_used,
)
_PASSKEY: Select[Any] = select(*_PASSKEY_COLUMNS)
_PASSKEYS = Query(_PASSKEY.where(passkeys.c.user_id == _OF_USER).order_by(passkeys.c.created_at, passkeys.c.passkey_id))
_HOW_MANY_PASSKEYS = Query(select(func.count()).where(passkeys.c.user_id == _OF_USER))
_ADDED = "passkeys"
"""One is added at a time, so that of many added at once none is beyond the most."""
_FULL = "You have {} passkeys, which is the most; remove one first."
_BY_CREDENTIAL = Query(_PASSKEY.where(passkeys.c.credential_id == bindparam("credential")))
_ADD_PASSKEY = Query(insert_or_not(passkeys).on_conflict_do_nothing())
_USE_PASSKEY = Query(
    update(passkeys)
    .where(
        passkeys.c.credential_id == bindparam("credential"),
        or_(
            passkeys.c.sign_count < bindparam("count"),
            and_(passkeys.c.sign_count == literal_column("0"), bindparam("count") == literal_column("0")),
        ),
    )
    .values(sign_count=bindparam("count"), last_used=bindparam("at"))
)
"""WebAuthn Level 3, section 7.2, step 22: a counter that does not grow belongs to two authenticators."""
_THIS_PASSKEY = and_(passkeys.c.user_id == _OF_USER, passkeys.c.passkey_id == bindparam("wanted"))
_RENAME_PASSKEY = Query(update(passkeys).where(_THIS_PASSKEY).values(name=bindparam("replacement")))
_DROP_PASSKEY = Query(delete(passkeys).where(_THIS_PASSKEY))
_DROP_CODES = Query(delete(recovery_codes).where(recovery_codes.c.user_id == _OF_USER))
_ADD_CODE = Query(insert(recovery_codes))
_USE_CODE = Query(
    delete(recovery_codes).where(recovery_codes.c.user_id == _OF_USER, recovery_codes.c.digest == bindparam("wanted"))
)
_CODES = Query(select(func.count()).select_from(recovery_codes).where(recovery_codes.c.user_id == _OF_USER))
_NO_LONGER_PROVEN = Query(update(sessions).where(sessions.c.user_id == _OF_USER).values(second_factor=false()))
_OPERATOR = Query(select(operators.c.role).where(operators.c.user_id == _OF_USER))
_KEPT = "An operator of this gateway keeps a second factor: add another one first, or give the operator's role up."


class SqlFactors:
    """`ports.factors.Factors`."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def any(self, user_id: str) -> bool:
        """Whether a person has a second factor; recovery codes alone are none."""
        return await self._readers.read(lambda transaction: transaction.row(HAS_FACTOR, {"user": user_id})) is not None

    async def totp(self, user_id: str) -> Totp | None:
        """A person's one-time codes."""
        row = await self._readers.read(lambda transaction: transaction.row(_TOTP, {"user": user_id}))
        return None if row is None else Totp(row[0], bytes(row[1]), row[2], from_micros(row[3]))

    async def put_totp(self, totp: Totp) -> None:
        """Store them in place of earlier ones."""
        await self._writer.perform(partial(_put_totp, totp))

    async def use_step(self, user_id: str, step: int, sealed: bytes) -> bool:
        """Take the code of a time step, and the secret sealed anew; False when that step or a later one was taken."""
        values: Parameters = {"user": user_id, "step": step, "sealed": sealed}
        return bool(await self._writer.perform(partial(change, _USE_STEP, values)))

    async def drop_totp(self, user_id: str) -> bool:
        """Forget them; False when there are none. With the last factor its recovery codes and sessions' proofs go.

        Raises `Conflict` for the last factor of an operator.
        """
        return await self._writer.perform(partial(_drop, _DROP_TOTP, {"user": user_id}))

    async def passkeys(self, user_id: str) -> Sequence[Passkey]:
        """A person's passkeys, oldest first."""
        rows = await self._readers.read(lambda transaction: transaction.rows(_PASSKEYS, {"user": user_id}))
        return [_passkey(row) for row in rows]

    async def passkey(self, credential_id: bytes) -> Passkey | None:
        """The passkey of a credential, whose ever it is."""
        row = await self._readers.read(
            lambda transaction: transaction.row(_BY_CREDENTIAL, {"credential": credential_id})
        )
        return None if row is None else _passkey(row)

    async def add_passkey(self, passkey: Passkey, *, most: int | None = None) -> None:
        """Store a new one. Raises `Conflict` when its credential is known, or the person has `most`."""
        await self._writer.perform(partial(_add_passkey, passkey, most))

    async def use_passkey(self, credential_id: bytes, sign_count: int, at: datetime) -> bool:
        """Note a use; False when the counter is not beyond the last one: then there are two of this authenticator."""
        values: Parameters = {"credential": credential_id, "count": sign_count, "at": to_micros(at)}
        return bool(await self._writer.perform(partial(change, _USE_PASSKEY, values)))

    async def rename_passkey(self, user_id: str, passkey_id: str, name: str) -> bool:
        """Give it another name; False when the person has none of that id."""
        values: Parameters = {"user": user_id, "wanted": passkey_id, "replacement": name}
        return bool(await self._writer.perform(partial(change, _RENAME_PASSKEY, values)))

    async def drop_passkey(self, user_id: str, passkey_id: str) -> bool:
        """Forget it; False when the person has none of that id. Else as `drop_totp`."""
        return await self._writer.perform(partial(_drop, _DROP_PASSKEY, {"user": user_id, "wanted": passkey_id}))

    async def put_recovery_codes(self, user_id: str, digests: Sequence[bytes]) -> None:
        """Store codes in place of all earlier ones."""
        await self._writer.perform(partial(_put_codes, user_id, digests))

    async def use_recovery_code(self, user_id: str, digests: Sequence[bytes]) -> bool:
        """Use up a code that has one of the digests: of many who come with it, one is told True."""
        several = [{"user": user_id, "wanted": digest} for digest in digests]
        return bool(await self._writer.perform(lambda transaction: transaction.change_each(_USE_CODE, several)))

    async def recovery_codes(self, user_id: str) -> int:
        """How many are left."""
        row = await self._readers.read(lambda transaction: transaction.row(_CODES, {"user": user_id}))
        return 0 if row is None else int(row[0])


def _put_totp(totp: Totp, transaction: Transaction) -> None:
    transaction.change(_DROP_TOTP, {"user": totp.user_id})
    transaction.change(_ADD_TOTP, {**asdict(totp), "created_at": to_micros(totp.created_at)})


def _drop(query: Query, values: Parameters, transaction: Transaction) -> bool:
    transaction.alone(LAST_FACTOR)
    if not transaction.change(query, values):
        return False
    whose: Parameters = {"user": values["user"]}
    if transaction.row(HAS_FACTOR, whose) is None:
        if transaction.row(_OPERATOR, whose) is not None:
            raise Conflict(_KEPT)
        transaction.change(_DROP_CODES, whose)
        transaction.change(_NO_LONGER_PROVEN, whose)
    return True


def _add_passkey(passkey: Passkey, most: int | None, transaction: Transaction) -> None:
    transaction.alone(_ADDED)
    refuse_full(transaction, _HOW_MANY_PASSKEYS, {"user": passkey.user_id}, most=most, told=_FULL)
    last_used = None if passkey.last_used is None else to_micros(passkey.last_used)
    values = {**asdict(passkey), "created_at": to_micros(passkey.created_at), "last_used": last_used}
    if not transaction.change(_ADD_PASSKEY, values):
        raise Conflict("This passkey is registered already.")


def _put_codes(user_id: str, digests: Sequence[bytes], transaction: Transaction) -> None:
    transaction.change(_DROP_CODES, {"user": user_id})
    transaction.change_each(_ADD_CODE, [{"user_id": user_id, "digest": digest} for digest in digests])


def _passkey(row: Row) -> Passkey:
    passkey_id, user_id, credential_id, public_key, sign_count, name, created_at, last_used = row
    return Passkey(
        passkey_id,
        user_id,
        bytes(credential_id),
        bytes(public_key),
        sign_count,
        name,
        from_micros(created_at),
        None if last_used is None else from_micros(last_used),
    )
