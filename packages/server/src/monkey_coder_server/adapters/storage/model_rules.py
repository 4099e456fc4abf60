"""Rules on models from memory: they cost a request no I/O."""

import json
from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert as insert_or_change

from monkey_coder_server.adapters.storage.counting import read_holder, stored
from monkey_coder_server.adapters.storage.following import MODEL_RULES, Following, News, change_followed
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.team_tables import held_by_what_is, model_rules
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Row, Transaction
from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.domain.limits import Holder, holders
from monkey_coder_server.domain.model_facts import DataPolicy
from monkey_coder_server.domain.model_rules import ModelRule

_NEXT = select(
    func.coalesce(func.max(model_rules.c.revision), literal_column("0")) + literal_column("1")
).scalar_subquery()
_VALUES = {
    "allow": bindparam("allow"),
    "deny": bindparam("deny"),
    "collapse": bindparam("collapse"),
    "input_ceiling": bindparam("input_ceiling"),
    "output_ceiling": bindparam("output_ceiling"),
    "capabilities": bindparam("capabilities"),
    "data_policies": bindparam("data_policies"),
    "revision": _NEXT,
}
_PUT = Query(
    insert_or_change(model_rules)
    .values(account_id=bindparam("account_id"), holder=bindparam("holder"), **_VALUES)
    .on_conflict_do_update(index_elements=[model_rules.c.account_id, model_rules.c.holder], set_=_VALUES)
)
_COLUMNS = select(
    model_rules.c.account_id,
    model_rules.c.holder,
    model_rules.c.allow,
    model_rules.c.deny,
    model_rules.c.collapse,
    model_rules.c.input_ceiling,
    model_rules.c.output_ceiling,
    model_rules.c.capabilities,
    model_rules.c.data_policies,
    model_rules.c.revision,
)
_CHANGED = Query(_COLUMNS.where(model_rules.c.revision > bindparam("seen")).order_by(model_rules.c.revision))
_OF_ACCOUNT = Query(
    _COLUMNS.where(
        model_rules.c.account_id == bindparam("account"),
        held_by_what_is(model_rules.c.account_id, model_rules.c.holder),
    ).order_by(model_rules.c.holder)
)


class SqlModelRules:
    """`ports.teams.ModelRules` over a snapshot of all rules. Writes are durable on return and seen at once here."""

    def __init__(self, writer: Writing, readers: Reading, news: News) -> None:
        self._writer = writer
        self._readers = readers
        self._known: defaultdict[str, dict[Holder, ModelRule]] = defaultdict(dict)
        self._revision = 0
        self._following = Following(self.refresh, "Rules on models")
        news.follow(MODEL_RULES, self._following.wake)

    async def start(self) -> None:
        """Load all rules and begin to follow changes."""
        await self._following.start()

    async def close(self) -> None:
        """Stop following."""
        await self._following.close()

    async def put(self, account_id: str, rule: ModelRule) -> None:
        """Set the rule of a holder in place of the one it had."""
        await self._writer.perform(partial(_put, account_id, rule))
        await self.refresh()

    async def rules(self, account_id: str) -> Sequence[ModelRule]:
        """Every rule of an account."""
        rows = await self._readers.read_of(
            account_id, lambda reading: reading.rows(_OF_ACCOUNT, {"account": account_id})
        )
        return [rule for rule in map(_rule, rows) if not rule.empty]

    def standing(
        self, account_id: str, *, key_id: str = "", project_id: str | None = None, team_id: str | None = None
    ) -> tuple[ModelRule, ...]:
        """The rules that count for a request, the widest first."""
        known = self._known.get(account_id)
        if not known:
            return ()
        counting = holders(account_id, key_id, project_id, team_id)
        return tuple([known[holder] for holder in counting if holder in known])

    async def refresh(self) -> None:
        """Take in what was changed until now, by whatever process."""
        rows = await self._readers.read(lambda reading: reading.rows(_CHANGED, {"seen": self._revision}))
        for row in [row for row in rows if row[-1] > self._revision]:  # another look may have come first
            rule, known = _rule(row), self._known[row[0]]
            if rule.empty:
                known.pop(rule.holder, None)
            else:
                known[rule.holder] = rule
            self._revision = max(self._revision, row[-1])


def _put(account_id: str, rule: ModelRule, transaction: Transaction) -> None:
    change_followed(transaction, MODEL_RULES)
    row: Parameters = {
        "account_id": account_id,
        "holder": stored(rule.holder),
        "allow": None if rule.allow is None else json.dumps(rule.allow),
        "deny": json.dumps(rule.deny),
        "collapse": rule.collapse,
        "input_ceiling": rule.input_ceiling,
        "output_ceiling": rule.output_ceiling,
        "capabilities": _words(rule.capabilities),
        "data_policies": _words(rule.policies),
    }
    transaction.change(_PUT, row)


def _rule(row: Row) -> ModelRule:
    account_id, holder, allow, deny, collapse, input_ceiling, output_ceiling, capabilities, policies, _revision = row
    return ModelRule(
        read_holder(holder, account_id),
        None if allow is None else tuple(json.loads(allow)),
        tuple(json.loads(deny)),
        collapse,
        input_ceiling,
        output_ceiling,
        tuple([Capability(word) for word in json.loads(capabilities or "[]")]),
        tuple([DataPolicy(word) for word in json.loads(policies or "[]")]),
    )


def _words(words: tuple[str, ...]) -> str | None:
    return json.dumps(words) if words else None
