"""Reading the rows of many ids with few statements."""

from collections.abc import Callable, Sequence

from sqlalchemy import BindParameter, Select, Text, bindparam

from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction

SIZES = (1, 16, 64, 128, 256)
"""Ids a query is made for: 128 are those of a slice of endings on SQLite."""
_NAMES = tuple([f"id_{number}" for number in range(SIZES[-1])])

Ids = Sequence[BindParameter[str]]


class Several:
    """A query for the rows of one id, or of many at once. `make` puts the ids it is given behind `IN`."""

    __slots__ = ("by_size",)

    def __init__(self, make: Callable[[Ids], Select[tuple[object, ...]]]) -> None:
        ids = [bindparam(name, type_=Text) for name in _NAMES]
        self.by_size = {size: Query(make(ids[:size])) for size in SIZES}

    @property
    def one(self) -> Query:
        """The query for a single id."""
        return self.by_size[1]

    def rows(self, transaction: Transaction, ids: Sequence[str]) -> list[Row]:
        """The rows of all these ids, piece by piece in the order of the ids; none for what is not there."""
        found: list[Row] = []
        for start in range(0, len(ids), SIZES[-1]):
            some = ids[start : start + SIZES[-1]]
            size = next(size for size in SIZES if size >= len(some))
            padded = (*some, *[some[-1]] * (size - len(some)))
            found += transaction.rows(self.by_size[size], dict(zip(_NAMES, padded, strict=False)))
        return found
