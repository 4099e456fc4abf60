"""So many of something and no more, however many are made at once."""

from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Transaction
from monkey_coder_server.domain.errors import Conflict


def refuse_full(transaction: Transaction, count: Query, of: Parameters, *, most: int | None, told: str) -> None:
    """Raises `Conflict`, in the words of `told`, when `most` are there; None for no bound.

    Whoever adds one is alone with all who do, before this counts and until the new one is committed.
    """
    if most is None:
        return
    [(there,)] = transaction.rows(count, of)
    if there >= most:
        raise Conflict(told.format(most))
