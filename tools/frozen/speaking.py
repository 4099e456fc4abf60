"""Run by `tools.frozen` with the sources of one revision on the path: writes down what that code says to the database.

`sqlite.json` and `postgresql.json` have every statement by its name; `business.json` those of a small business with
their values, in the order they were said, each with how many rows it concerned. Prints the revision.
"""

import asyncio
import base64
import importlib
import json
import pkgutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Dialect
from sqlalchemy.exc import SQLAlchemyError

from monkey_coder_server.adapters import storage as package
from monkey_coder_server.adapters.signing.ed25519 import signer_of
from monkey_coder_server.adapters.storage import migrate, unbooked
from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.open import Storage, open_storage
from monkey_coder_server.adapters.storage.postgres.sets import of_many
from monkey_coder_server.adapters.storage.postgres.transaction import DIALECT as POSTGRESQL
from monkey_coder_server.adapters.storage.routing_sums import Kind
from monkey_coder_server.adapters.storage.several import Several
from monkey_coder_server.adapters.storage.sqlite import DIALECT as SQLITE
from monkey_coder_server.adapters.storage.sqlite import SqliteTransaction
from monkey_coder_server.adapters.storage.transaction import Query
from monkey_coder_server.domain.alerts import AlertKind, AlertRule, AlertStanding
from monkey_coder_server.domain.invoicing import Month
from monkey_coder_server.domain.ledger import GrantKind
from monkey_coder_server.domain.likeness import Lesson, Likeness
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, Period, Unit
from monkey_coder_server.domain.markup import MarkupRule
from monkey_coder_server.domain.model_rules import ModelRule
from monkey_coder_server.domain.operators import OperatorRole
from monkey_coder_server.domain.payments import (
    DisputeSeen,
    DisputeState,
    PaymentSeen,
    PaymentState,
    Purpose,
    RefundSeen,
    RefundState,
)
from monkey_coder_server.domain.plans import Plan, PlanSpan, put_on
from monkey_coder_server.domain.pricing import PriceBook, PriceRow, Rates
from monkey_coder_server.domain.promotions import Promotion
from monkey_coder_server.domain.rates import Measure, RateRule
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.domain.subscriptions import Subscription
from monkey_coder_server.domain.throttling import Allowance
from monkey_coder_server.domain.top_ups import TopUpRule
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.accounts import AuditEntry, Caps, KeyRecord, Rotation, Session, User
from monkey_coder_server.ports.alerts import Alert
from monkey_coder_server.ports.answers import StoredAnswer
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.credit import Refund
from monkey_coder_server.ports.factors import Passkey, Totp
from monkey_coder_server.ports.invoices import Correction, Reconciliation
from monkey_coder_server.ports.ledger import Bill, GrantTerms
from monkey_coder_server.ports.markups import Markup
from monkey_coder_server.ports.notices import Notice
from monkey_coder_server.ports.operators import Appointment
from monkey_coder_server.ports.organizations import Membership, Organization
from monkey_coder_server.ports.payments import EventSeen
from monkey_coder_server.ports.promotions import RedeemWish
from monkey_coder_server.ports.quotes import StoredQuote
from monkey_coder_server.ports.sign_in import Identity
from monkey_coder_server.ports.teams import Project, Team
from monkey_coder_server.ports.tickets import Ticket
from monkey_coder_server.ports.webhooks import Webhook
from packages.server.tests.contract.booking import (
    ACCOUNT,
    KEY,
    NOON,
    StillClock,
    failure,
    hold_request,
    idempotent,
    lease_wish,
    resolved,
    settlement,
)
from tools.frozen.learning import learn

SIGNED_BY = signer_of(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
"""The receipts of the business, whoever speaks."""
WAYS = ("change", "change_each", "rows")
LATER = timedelta(days=9)
LIKE = Likeness(ACCOUNT, "chat False False False", "", 7, 1, None, "a1", "b2", "c3")
PAID = PaymentSeen(
    payment_id="pay_1",
    customer_id="cus_1",
    account_id=ACCOUNT,
    purpose=Purpose.CREDIT,
    state=PaymentState.SUCCEEDED,
    cents=100,
    refunds=(RefundSeen(refund_id="re_1", cents=10, state=RefundState.SUCCEEDED),),
    disputes=(DisputeSeen(dispute_id="dp_1", cents=90, state=DisputeState.OPEN, withdrawn=False),),
)
ELSEWHERE = frozenset({"journal", "migrations"})
"""Not of the books: a journal is a file of its own process and release."""


def queries() -> Iterator[tuple[str, Query]]:
    """Every statement of the stores once by its name, `module.NAME` and where it stands in NAME."""
    names = {}
    for module in _modules(package, package.__name__):
        for name, value in vars(module).items():
            for below, query in _queries_in(value):
                names[query] = f"{module.__name__.removeprefix(package.__name__ + '.')}.{name}{below}"
    for query, name in names.items():
        yield name, query


def _modules(within: ModuleType, prefix: str) -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(within.__path__):
        if found.name not in ELSEWHERE:
            module = importlib.import_module(f"{prefix}.{found.name}")
            yield module
            if found.ispkg:
                yield from _modules(module, module.__name__)


def _queries_in(value: object) -> Iterator[tuple[str, Query]]:
    if isinstance(value, Query):
        yield "", value
    elif isinstance(value, Several):
        yield from _queries_in(value.by_size)
    elif isinstance(value, Mapping):
        yield from [(f".{key}{below}", query) for key, each in value.items() for below, query in _queries_in(each)]
    elif isinstance(value, tuple):
        yield from _queries_in(dict(enumerate(value)))
    elif isinstance(value, Kind):
        yield from _queries_in({each.name: getattr(value, each.name) for each in fields(value)})


def statements(dialect: Dialect) -> dict[str, Any]:
    """Every statement as it is sent, with the names of its parameters and the values of those that are constants."""
    return {name: _compiled(query, dialect) for name, query in sorted(queries(), key=lambda named: named[0])}


def _compiled(query: Query, dialect: Dialect) -> dict[str, Any]:
    compiled = query.compiled(dialect)
    sent = {"text": compiled.text, "names": compiled.names, "constants": dict(compiled.constants)}
    if dialect is POSTGRESQL:
        try:
            sent["of_many"] = of_many(query, dialect).compiled(dialect).text
        except (TypeError, KeyError, SQLAlchemyError):  # no change of many rows
            return sent
    return sent


class Recorder:
    """Notes what is said on SQLite: statement, way, values, and the number of rows it concerned."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, Any, int]] = []
        self._names = {query: name for name, query in queries()}

    def listen(self) -> None:
        """From now on."""
        for way in WAYS:
            setattr(SqliteTransaction, way, self._listening(way, getattr(SqliteTransaction, way)))
        setattr(SqliteTransaction, "insert_each", _change_each)  # noqa: B010 - as above; mypy knows it by its name

    def _listening(self, way: str, say: Callable[..., Any]) -> Callable[..., Any]:
        def listening(transaction: SqliteTransaction, query: Query, values: Any) -> Any:
            came = say(transaction, query, values)
            self.said.append((self._names[query], way, values, came if isinstance(came, int) else len(came)))
            return came

        return listening

    def taken(self) -> list[tuple[str, str, Any, int]]:
        """What was said since the last call."""
        said, self.said = self.said, []
        return said


def _change_each(transaction: SqliteTransaction, query: Query, rows: Sequence[tuple[Any, ...]]) -> int:
    """An `insert_each`, said with the names of the columns."""
    return transaction.change_each(query, [dict(zip(query.columns, row, strict=True)) for row in rows])


async def before(store: Storage) -> list[Resolved]:
    """A business with everything in its books, and in the end open holds and leases; how those will end."""
    await _set_up(store)
    long_ago = hold_request(at=NOON - timedelta(days=99), expires_at=NOON)
    await store.books.place(long_ago)
    await store.books.ship([resolved(long_ago, None)])
    served, failed, *batch, held, repeated, given_up = [hold_request() for _ in range(9)]
    bills = (Bill("openai", "gpt-5", Usage(100, 20, output=30), 400, "up_1"), Bill("xai", "grok-4", Usage(5), 100))
    for each in (served, failed, *batch, held, given_up):
        await store.books.place(each)
    repeated = msgspec.structs.replace(repeated, idempotency=idempotent())
    await store.books.place(repeated)
    paid = resolved(served, None, ending=settlement(served, bills=bills, elsewhere={"xai": 100}))
    await store.books.ship([paid])
    await store.books.ship([resolved(failed, None, ending=failure(failed, provider="xai", provider_cost=7))])
    await store.books.ship([resolved(each, None) for each in batch])
    impossible = resolved(hold_request(), None, 600)
    await store.books.place(impossible.hold)
    await store.writer.perform(partial(unbooked.keep, impossible, "ValueError: planted", to_micros(NOON)))
    for instance in ("old", "dead"):
        await store.books.lease(lease_wish(3_000, lease_id=f"lease_{instance}", instance=instance))
    on_lease = [hold_request(700) for _ in range(3)]
    await store.books.ship([resolved(each, "lease_old") for each in on_lease[:2]])
    return [resolved(held, None), resolved(repeated, None, result=b"made"), resolved(on_lease[2], "lease_old")]


async def _set_up(store: Storage) -> None:
    """People, keys, credit, limits, and what is kept beside money."""
    await store.receipt_keys.publish()
    ada = User("user_1", ACCOUNT, "Ada@Example.org", "Ada", "$argon2id$one", "free", ("user",), NOON)
    await store.accounts.create(ada)
    await store.sessions.open(Session("sess_1", "user_1", b"first".ljust(32), NOON + LATER))
    firm = Organization("acc_firm", "Firm", NOON)
    await store.organizations.create(firm, Membership(firm.account_id, "user_1", Role.OWNER, NOON))
    await store.teams.add_team(Team("team_1", firm.account_id, "Web", NOON))
    await store.teams.add_project(Project(firm.account_id, "web", "team_1", NOON))
    await store.model_rules.put(firm.account_id, ModelRule(Holder(HolderKind.TEAM, "team_1"), deny=("xai/*",)))
    await store.rates.put(firm.account_id, RateRule(Holder(HolderKind.TEAM, "team_1"), Measure.TOKENS, 600_000))
    await store.identities.link(Identity("google", "7", "ada@example.org"), "user_1", NOON)
    await store.tickets.issue(Ticket(b"ticket".ljust(32), "email", "user_1", NOON + LATER, "{}"))
    await _prove(store)
    await _owe(store)
    await store.tries.take({"login": Allowance(10, 60, 1, 60)}, NOON)
    await store.keys.create(
        KeyRecord(
            key_id=KEY,
            account_id=ACCOUNT,
            user_id="user_1",
            name="laptop",
            prefix="mk-dev-abcd",
            digest=KEY.encode().ljust(32, b"."),
            scopes=frozenset({"inference"}),
            created_at=NOON,
            caps=Caps(day=90_000),
            project_id="web",
        )
    )
    await store.ledger.open_wallet(ACCOUNT)
    await store.ledger.grant(ACCOUNT, 50_000, reason="test", idempotency_key="first")
    soon = GrantTerms(GrantKind.PROMO, 1, NOON + LATER)
    await store.ledger.grant(ACCOUNT, 700, reason="test", idempotency_key="second", terms=soon)
    await store.limits.put(ACCOUNT, Limit(Holder(HolderKind.PROJECT, "web"), Period.MONTH, Unit.MONEY, 80_000), NOON)
    await store.audit.record(AuditEntry("ada", "grant", target=ACCOUNT, at=NOON, account_id=ACCOUNT, details="{}"))
    await store.quotes.save(StoredQuote("quote_1", ACCOUNT, b"f" * 32, b'{"rows":[]}', NOON + LATER))
    answer = StoredAnswer(
        answer_id="resp_1", account_id=ACCOUNT, previous=None, asked=b"[]", body=b"{}", at=NOON, expires_at=NOON + LATER
    )
    await store.answers.save(answer, ["msg_1"])
    await store.payments.keep_customer(ACCOUNT, "cus_1")
    await store.payments.book(PAID)
    await _sell(store, firm.account_id)
    await store.lessons.keep({"req_1": Lesson(LIKE, "openai/gpt-5", 10, 12, 3, 0, 7, 5)})
    await learn(store)
    await store.replies.claim(ACCOUNT, idempotent("call:1"), NOON)
    await store.replies.keep(ACCOUNT, "call:1", b"made")


async def _sell(store: Storage, customer: str) -> None:
    """Plans, prices, and what the payment processor tells."""
    await store.plans.put(Plan(plan_id="team", name="Team"))
    span = PlanSpan(plan_id="team", starts_at=NOON, source="operator")
    await store.account_plans.change(customer, lambda history: put_on(history, span))
    markup = MarkupRule(basis_points=1_250, plan="team", provider="groq", starts_at=NOON, name="markup_1")
    await store.markups.set(Markup(markup, "the plan's terms", "operator", NOON))
    await store.markups.end("markup_1", NOON + LATER)
    terms: dict[str, Any] = {"code": "SPRING", "campaign": "Spring", "amount": 3_000, "lasts_days": 30}
    await store.promotions.add(Promotion(promotion_id="promo_1", starts_at=NOON, **terms), by="operator", at=NOON)
    await store.promotions.redeem(RedeemWish("SPRING", ACCOUNT, "user_1", NOON))
    schedule = ((NOON, PriceBook.of([PriceRow(provider="openai", model="gpt-5", rates=Rates.of(input=1, output=2))])),)
    await store.price_books.activate(schedule, source="a list", by="operator", reason="new prices", at=NOON)
    event = EventSeen("evt_1", "payment_intent.succeeded", NOON, False, "payment", "pi_1")  # noqa: FBT003 - of test mode
    await store.payment_inbox.take(event, NOON)
    rule = TopUpRule(threshold=1_000_000, amount=1_000_000, monthly_maximum=1_000_000)
    await store.top_ups.set(ACCOUNT, rule, by="user_1", now=NOON)
    await store.top_ups.begin(ACCOUNT, NOON)
    await store.top_ups.remove(ACCOUNT, by="user_1", now=NOON)
    await store.alerting.webhooks.add(
        Webhook("wh_1", ACCOUNT, "https://a.example", frozenset(), b"s", "user_1", NOON), most=1
    )
    alert = Alert("alert_1", ACCOUNT, AlertRule(AlertKind.FROZEN), mail=True, created_by="user_1", created_at=NOON)
    await store.alerting.alerts.add(alert, most=1)
    told = Notice("evt_1", ACCOUNT, "alert_1", "debt:1", "account.frozen", "{}", NOON)
    await store.alerting.alerts.keep(alert, AlertStanding(1, frozenset({"debt"})), [told], ["user_1"])


async def _owe(store: Storage) -> None:
    """A credit line that is used and invoiced, and a plan that is paid for."""
    await store.ledger.open_wallet("acc_line")
    await store.credit_lines.set("acc_line", 90_000_000, NOON)
    used = hold_request(20_000_000, account_id="acc_line", key_id="key_line")
    await store.books.place(used)
    await store.books.ship([resolved(used, None, 20_000_000)])
    await store.invoices.close("acc_line", Month("2026-11"), NOON + LATER)
    who: dict[str, Any] = {"subscription_id": "sub_1", "account_id": ACCOUNT, "plan_id": "team", "state": "active"}
    subscribed = Subscription(**who, period_start=NOON, period_end=NOON + LATER, ends_with_period=False)
    await store.subscriptions.bring(subscribed, NOON)


async def _prove(store: Storage) -> None:
    """Second factors, and what only who has one is given."""
    await store.factors.put_totp(Totp("user_1", b"sealed", 7, NOON))
    await store.factors.add_passkey(Passkey("psk_1", "user_1", b"credential", b"cose", 0, "laptop", NOON))
    await store.factors.put_recovery_codes("user_1", [b"code".ljust(32)])
    await store.operators.appoint(Appointment("user_1", OperatorRole.SUPPORT, "operator", NOON))


async def after(store: Storage, ending: Sequence[Resolved], clock: StillClock) -> list[Resolved]:
    """What a process of that code goes on saying while others are of the next one; how what it leaves open will end."""
    held, *others = ending
    await store.sessions.rotate("sess_1", Rotation(b"first".ljust(32), b"next".ljust(32), NOON, NOON + LATER))
    await store.books.ship([held])
    await store.books.ship([resolved(hold_request(200), "lease_old", 200)])
    await store.books.give_back("lease_old", 500)
    await store.books.lease(lease_wish(1_000, lease_id="lease_new", instance="old"))
    await store.books.extend("old", NOON + timedelta(minutes=20))
    await store.books.recall(ACCOUNT, "operator")
    late, expiring = hold_request(), hold_request(expires_at=NOON + timedelta(minutes=1))
    for each in (late, expiring):
        await store.books.place(each)
    await store.ledger.refund(Refund(ACCOUNT, f"settle:{held.hold.request_id}", 100, "of no use", "refund"))
    await store.costs.correct(Correction("openai", f"settle:{held.hold.request_id}", 0, -50, "file", NOON))
    await store.costs.note(Reconciliation("rec_1", "xai", "d", "d", NOON, "file", 9, 8, 1, 1, "{}"))
    clock.forward(timedelta(minutes=2))
    await store.ledger.expire_holds(clock.now())
    await store.reports.rebuild()
    await store.ledger.verify()
    await store.reports.drop_old(NOON, 1)
    return [*others, resolved(late, None), resolved(hold_request(300), "lease_new", 300)]


async def business(folder: Path) -> dict[str, Any]:
    """Do both, each with the statements it said, and `ending`: what a process of the next code ships."""
    clock, recorder = StillClock(), Recorder()
    store = await open_storage(f"sqlite:///{folder}/books.db", signer=SIGNED_BY, clock=clock)
    recorder.listen()
    try:
        first = await before(store)
        said = recorder.taken()
        last = await after(store, first, clock)
        said_after = recorder.taken()
    finally:
        await store.close()
    shipped = [json.loads(msgspec.json.encode(each, enc_hook=dict)) for each in last]
    return {"before": said, "after": said_after, "ending": shipped}


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    message = f"cannot be written down: {value!r}"
    raise TypeError(message)


def main(target: Path) -> None:
    """Write the three files into a folder."""
    with tempfile.TemporaryDirectory() as folder:
        done = asyncio.run(business(Path(folder)))
    for name, what in (("sqlite", statements(SQLITE)), ("postgresql", statements(POSTGRESQL))):
        lines = [f"{json.dumps(statement)}: {json.dumps(sent, default=_plain)}" for statement, sent in what.items()]
        (target / f"{name}.json").write_text("{{\n{}\n}}\n".format(",\n".join(lines)))
    parts = [
        '"{}": [\n{}\n]'.format(part, ",\n".join([json.dumps(each, default=_plain) for each in all_of_it]))
        for part, all_of_it in done.items()
    ]
    (target / "business.json").write_text("{{\n{}\n}}\n".format(",\n".join(parts)))
    print(migrate.HEAD)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
