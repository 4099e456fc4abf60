"""Reading the rows of many ids with few statements."""

from collections.abc import Callable, Sequence

from sqlalchemy import BindParameter, Select, Text, bindparam

from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction

TOGETHER = 16
_NAMES = tuple([f"id_{number}" for number in range(TOGETHER)])

Ids = Sequence[BindParameter[str]]


class Several:
    """A query for the rows of one id, or of up to `TOGETHER` at once. `make` puts the ids it is given behind `IN`."""

    __slots__ = ("many", "one")

    def __init__(self, make: Callable[[Ids], Select[tuple[object, ...]]]) -> None:
        ids = [bindparam(name, type_=Text) for name in _NAMES]
        self.one = Query(make(ids[:1]))
        self.many = Query(make(ids))

    def rows(self, transaction: Transaction, ids: Sequence[str]) -> list[Row]:
        """The rows of all these ids, piece by piece in the order of the ids; none for what is not there."""
        if len(ids) == 1:
            return transaction.rows(self.one, {_NAMES[0]: ids[0]})
        found: list[Row] = []
        for start in range(0, len(ids), TOGETHER):
            some = ids[start : start + TOGETHER]
            padded = (*some, *[some[-1]] * (TOGETHER - len(some)))
            found += transaction.rows(self.many, dict(zip(_NAMES, padded, strict=True)))
        return found
