"""What processes say to each other through the leases they have: that they live, and that others need credit.

Rows are locked in the order of their ids, here and where leases are charged, so that nobody waits in a circle.
"""

from sqlalchemy import ColumnElement, Update, bindparam, literal_column, select, update

from monkey_coder_server.adapters.storage import holds
from monkey_coder_server.adapters.storage.lease_tables import leases
from monkey_coder_server.adapters.storage.transaction import Query, Transaction

_OPEN = leases.c.state == literal_column("'open'")


def _each(*which: ColumnElement[bool]) -> Update:
    """A change of open leases, one after another by id."""
    return update(leases).where(
        leases.c.lease_id.in_(
            select(leases.c.lease_id).where(_OPEN, *which).order_by(leases.c.lease_id).with_for_update()
        ),
        _OPEN,
    )


_EXTEND = Query(
    _each(leases.c.instance == bindparam("this"), leases.c.expires_at < bindparam("until")).values(
        expires_at=bindparam("until")
    )
)
_RECALL = Query(
    _each(leases.c.account_id == bindparam("account"), leases.c.instance != bindparam("this")).values(
        recalled_at=bindparam("now")
    )
)
_RECALL_OF_KEY = Query(
    _each(
        leases.c.account_id == bindparam("account"),
        leases.c.key_id == bindparam("key"),
        leases.c.instance != bindparam("this"),
    ).values(recalled_at=bindparam("now"))
)
_HAS = Query(select(leases.c.lease_id).where(_OPEN, leases.c.instance == bindparam("this")))
_RECALLED = Query(
    select(leases.c.lease_id).where(leases.c.instance == bindparam("this"), leases.c.recalled_at.is_not(None))
)


def extend(instance: str, until: int, transaction: Transaction) -> frozenset[str]:
    """Let the open leases of a process last until a moment, never shorter than before; which those are."""
    transaction.change(_EXTEND, {"this": instance, "until": until})
    return frozenset(row[0] for row in transaction.rows(_HAS, {"this": instance}))


def recall(account_id: str, instance: str, now: int, transaction: Transaction, *, key_id: str | None = None) -> int:
    """Ask all other processes for what they can spare of a wallet, or of a key; how many leases.

    `give_back` answers.
    """
    holds.lock_wallet(transaction, account_id)
    whose = {"account": account_id, "this": instance, "now": now}
    if key_id is None:
        return transaction.change(_RECALL, whose)
    return transaction.change(_RECALL_OF_KEY, {**whose, "key": key_id})


def recalled(instance: str, transaction: Transaction) -> list[str]:
    """The leases of a process that others asked for and it has not answered for yet."""
    return [row[0] for row in transaction.rows(_RECALLED, {"this": instance})]
