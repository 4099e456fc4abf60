"""Rates from memory: they cost a request no I/O. What one key may ask in a minute stands with the key."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert as insert_or_change

from monkey_coder_server.adapters.storage import key_rows
from monkey_coder_server.adapters.storage.counting import read_holder, stored
from monkey_coder_server.adapters.storage.following import RATES, Following, News, change_followed
from monkey_coder_server.adapters.storage.keys import SqlKeys
from monkey_coder_server.adapters.storage.limit_tables import rate_rules
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.team_tables import held_by_what_is
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Row, Transaction
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.domain.rates import Measure, RateRule

_NEXT = select(
    func.coalesce(func.max(rate_rules.c.revision), literal_column("0")) + literal_column("1")
).scalar_subquery()
_VALUES = {"allowed": bindparam("allowed"), "revision": _NEXT}
_NAMES = ("account_id", "holder", "model", "measure")
_PUT = Query(
    insert_or_change(rate_rules)
    .values(**{name: bindparam(name) for name in _NAMES}, **_VALUES)
    .on_conflict_do_update(index_elements=[rate_rules.c[name] for name in _NAMES], set_=_VALUES)
)
_COLUMNS = select(*[rate_rules.c[name] for name in (*_NAMES, "allowed", "revision")])
_CHANGED = Query(_COLUMNS.where(rate_rules.c.revision > bindparam("seen")).order_by(rate_rules.c.revision))
_OF_ACCOUNT = Query(
    _COLUMNS.where(
        rate_rules.c.account_id == bindparam("account"),
        rate_rules.c.allowed.is_not(None),
        held_by_what_is(rate_rules.c.account_id, rate_rules.c.holder),
    ).order_by(rate_rules.c.holder, rate_rules.c.model, rate_rules.c.measure)
)
_Place = tuple[Holder, Measure, str]


class SqlRates:
    """`ports.rates.RateRules` over a snapshot of all rules. Writes are durable on return and seen at once here."""

    def __init__(self, writer: Writing, readers: Reading, keys: SqlKeys, news: News) -> None:
        self._writer = writer
        self._readers = readers
        self._keys = keys
        self._known: defaultdict[str, dict[_Place, RateRule]] = defaultdict(dict)
        self._standing: dict[str, tuple[RateRule, ...]] = {}
        self._revision = 0
        self._following = Following(self.refresh, "Rates")
        news.follow(RATES, self._following.wake)

    async def start(self) -> None:
        """Load all rules and begin to follow changes."""
        await self._following.start()

    async def close(self) -> None:
        """Stop following."""
        await self._following.close()

    async def put(self, account_id: str, rule: RateRule) -> None:
        """Set a rule, or change what it allows. Raises `NotFound`."""
        await self._write(account_id, rule, rule.allowed)

    async def remove(self, account_id: str, rule: RateRule) -> None:
        """Take a rule back, whatever it allows. Raises `NotFound`."""
        await self._write(account_id, rule, None)

    async def rules(self, account_id: str) -> Sequence[RateRule]:
        """Every rule of an account."""
        rows = await self._readers.read_of(
            account_id, lambda reading: reading.rows(_OF_ACCOUNT, {"account": account_id})
        )
        return [_rule(row, row[4]) for row in rows]

    def standing(self, account_id: str) -> Sequence[RateRule]:
        """The rules of an account, whoever in it they are for."""
        return self._standing.get(account_id, ())

    async def refresh(self) -> None:
        """Take in what was changed until now, by whatever process."""
        rows = await self._readers.read(lambda reading: reading.rows(_CHANGED, {"seen": self._revision}))
        for row in [row for row in rows if row[-1] > self._revision]:  # another look may have come first
            account_id, allowed, revision = row[0], row[4], row[5]
            known, rule = self._known[account_id], _rule(row, allowed or 0)
            place = (rule.holder, rule.measure, rule.model)
            if allowed is None:
                known.pop(place, None)
            else:
                known[place] = rule
            self._standing[account_id] = tuple(known.values())
            self._revision = max(self._revision, revision)

    async def _write(self, account_id: str, rule: RateRule, allowed: int | None) -> None:
        await self._writer.perform(partial(_put, account_id, rule, allowed))
        await (self._keys.refresh() if _stands_with_key(rule) else self.refresh())


def _put(account_id: str, rule: RateRule, allowed: int | None, transaction: Transaction) -> None:
    key_id = rule.holder.id
    if rule.holder.kind is HolderKind.KEY and not key_rows.belongs(transaction, account_id, key_id):
        message = f"The account {account_id} has no API key {key_id}."
        raise NotFound(message)
    if _stands_with_key(rule):
        key_rows.set_rate(transaction, account_id, key_id, allowed)
        return
    change_followed(transaction, RATES)
    row: Parameters = {
        "account_id": account_id,
        "holder": stored(rule.holder),
        "model": rule.model,
        "measure": rule.measure.value,
        "allowed": allowed,
    }
    transaction.change(_PUT, row)


def _stands_with_key(rule: RateRule) -> bool:
    """Whether it is what the key's own row holds, which the release before reads there."""
    return rule.holder.kind is HolderKind.KEY and rule.measure is Measure.REQUESTS and not rule.model


def _rule(row: Row, allowed: int) -> RateRule:
    account_id, holder, model, measure = row[:4]
    return RateRule(read_holder(holder, account_id), Measure(measure), allowed, model)
