"""What one process changes all others see at once: word comes to them long before they would look by themselves."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import psycopg
import pytest

from monkey_coder_server.adapters.storage import following
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, Period, Unit
from monkey_coder_server.domain.markup import MarkupRule
from monkey_coder_server.domain.model_rules import ModelRule
from monkey_coder_server.domain.plans import PlanSpan, put_on
from monkey_coder_server.ports.markups import Markup
from packages.server.tests.contract.booking import ACCOUNT, NOON
from packages.server.tests.contract.conftest import OpenStore
from packages.server.tests.contract.test_accounts import ADA
from packages.server.tests.contract.test_keys import LAPTOP
from packages.server.tests.contract.test_price_books import MADE, book

NEVER = 10_000
PATIENCE = 10


@pytest.fixture(autouse=True)
def nobody_looks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "REFRESH_SECONDS", NEVER)


async def seen(what: Callable[[], object]) -> None:
    """Wait until it is. Raises `TimeoutError` when nobody tells of it."""
    async with asyncio.timeout(PATIENCE):
        while not what():  # noqa: ASYNC110 - a snapshot rings no bell
            await asyncio.sleep(0.001)


def key_of(store: Storage) -> object:
    return store.keys.every()[0] if store.keys.every() else None


async def test_a_key_made_changed_revoked_is_that_everywhere(open_store: OpenStore) -> None:
    async with open_store() as here, open_store() as there:
        await here.keys.create(LAPTOP)
        await seen(lambda: key_of(there) == LAPTOP)
        changed = replace(LAPTOP, caps=replace(LAPTOP.caps, day=5))
        await here.ledger.open_wallet(ACCOUNT)
        await here.limits.put(ACCOUNT, Limit(Holder(HolderKind.KEY, "key_1"), Period.DAY, Unit.MONEY, 5), NOON)
        await seen(lambda: key_of(there) == changed)
        await here.keys.revoke(ACCOUNT, "key_1", NOON)
        await seen(lambda: key_of(there) == replace(changed, revoked_at=NOON))


async def test_rules_plans_markups_and_prices_are_the_same_everywhere(open_store: OpenStore) -> None:
    async with open_store() as here, open_store() as there:
        await here.accounts.create(ADA)
        await here.markups.set(Markup(MarkupRule(basis_points=5, starts_at=NOON, name="one"), "", "operator", NOON))
        await here.model_rules.put(ACCOUNT, ModelRule(Holder(HolderKind.KEY, "key_1"), deny=("xai/*",)))
        await here.account_plans.change(ADA.account_id, partial(put_on, span=PlanSpan(plan_id="pro", starts_at=NOON)))
        await here.price_books.activate(((NOON, book(1)),), **MADE)
        await seen(lambda: there.markups.known == here.markups.known != ())
        await seen(lambda: there.model_rules.standing(ACCOUNT, key_id="key_1"))
        await seen(lambda: there.account_plans.standing(ADA.account_id, NOON) == "pro")
        await seen(lambda: there.price_books.number == 1)


async def test_what_changed_while_nobody_could_listen_is_seen_once_somebody_can(
    open_store: OpenStore, database: str
) -> None:
    async with open_store() as here, open_store() as there:
        await here.keys.create(LAPTOP)
        await seen(lambda: key_of(there) == LAPTOP)
        if database.startswith("postgresql"):
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'monkey-coder news' AND datname = current_database()"
                )
        await here.keys.revoke(ACCOUNT, "key_1", NOON)
        await seen(lambda: key_of(there) == replace(LAPTOP, revoked_at=NOON))


async def test_words_that_come_together_make_one_look() -> None:
    looks, news = [], following.News()

    async def look() -> None:
        looks.append(1)

    follower = following.Following(look, "Nothing")
    news.follow("something", follower.wake)
    await follower.start()
    for _ in range(100):
        news.tell("something")
        news.tell("what only another release follows")
    news.tell_all()
    await asyncio.sleep(0.02)
    await follower.close()
    assert len(looks) == 2


async def test_a_look_that_fails_for_whatever_reason_is_not_the_last(caplog: pytest.LogCaptureFixture) -> None:
    failures = [RuntimeError("nobody thought of that"), RuntimeError("and again"), Unavailable("away", retry_after=1)]
    looked = asyncio.Event()

    async def look() -> None:
        if failures:
            raise failures.pop(0)
        looked.set()

    follower = following.Following(look, "Somethings", seconds=0)
    follower.begin()
    async with asyncio.timeout(PATIENCE):
        await looked.wait()
    await follower.close()
    assert caplog.text.count("Somethings were not refreshed") == 1
