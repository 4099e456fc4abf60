"""Alerts on either database: looked at by one at a time, told once, delivered by one at a time."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.alerts import AlertKind, AlertRule, AlertStanding, Figures, Owed
from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.domain.invoicing import InvoiceState, Month
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, Period, Unit
from monkey_coder_server.domain.top_ups import TopUpRule
from monkey_coder_server.ports.alerts import Alert
from monkey_coder_server.ports.invoicing import Sent
from monkey_coder_server.ports.notices import Channel, DeliveryState, Notice, OutboxState
from monkey_coder_server.ports.webhooks import Webhook
from packages.server.tests.contract.booking import ACCOUNT, NOON, hold_request, settle
from packages.server.tests.contract.conftest import OpenStore

MINUTE = timedelta(minutes=1)
BELOW = AlertStanding(1, frozenset({"below"}))
ALERT = Alert("alert_1", ACCOUNT, AlertRule(AlertKind.BALANCE_BELOW, amount=5), True, "usr_1", NOON)
WEBHOOK = Webhook("wh_1", ACCOUNT, "https://example.com/", frozenset(), b"sealed", "usr_1", NOON)


def notice(number: int = 1, *, crossing: str = "below:1", kind: str = "balance.below", **more: Any) -> Notice:
    return Notice(f"evt_{number}", ACCOUNT, "alert_1", crossing, kind, "{}", more.get("at", NOON))


async def test_an_alert_is_kept_as_it_was_set_and_taken_away(funded: Storage) -> None:
    await funded.alerting.alerts.add(ALERT, most=2)
    second = msgspec.structs.replace(ALERT, alert_id="alert_2", rule=AlertRule(AlertKind.LIMIT_SHARE, percent=80))
    await funded.alerting.alerts.add(second, most=2)
    assert await funded.alerting.alerts.of_account(ACCOUNT) == [ALERT, second]
    with pytest.raises(Conflict, match="2 alerts"):
        await funded.alerting.alerts.add(msgspec.structs.replace(ALERT, alert_id="alert_3"), most=2)
    with pytest.raises(NotFound):
        await funded.alerting.alerts.add(msgspec.structs.replace(ALERT, account_id="acc_none"), most=2)
    assert not await funded.alerting.alerts.remove("acc_other", "alert_1")
    assert await funded.alerting.alerts.remove(ACCOUNT, "alert_1")
    assert not await funded.alerting.alerts.remove(ACCOUNT, "alert_1")
    assert await funded.alerting.alerts.of_account(ACCOUNT) == [second]


async def test_many_added_at_once_are_never_too_many(open_store: OpenStore, funded: Storage) -> None:
    async with open_store() as other:
        many = [msgspec.structs.replace(ALERT, alert_id=f"alert_{number}") for number in range(12)]
        adding = [
            store.alerting.alerts.add(each, most=5) for store, each in zip([funded, other] * 6, many, strict=True)
        ]
        ended = await asyncio.gather(*adding, return_exceptions=True)
    assert sum(isinstance(each, Conflict) for each in ended) == 7
    assert len(await funded.alerting.alerts.of_account(ACCOUNT)) == 5


async def test_an_alert_is_looked_at_by_one_process_at_a_time(open_store: OpenStore, funded: Storage) -> None:
    await funded.alerting.alerts.add(ALERT, most=9)
    async with open_store() as other:
        stores = [funded, other] * 8
        taken = await asyncio.gather(*[store.alerting.alerts.take(NOON, NOON + MINUTE, most=10) for store in stores])
    assert [list(each) for each in taken if each] == [[ALERT]]
    assert await funded.alerting.alerts.take(NOON + MINUTE - timedelta(microseconds=1), NOON + MINUTE, most=10) == ()
    assert len(await funded.alerting.alerts.take(NOON + MINUTE, NOON + 2 * MINUTE, most=10)) == 1


async def test_of_many_who_found_the_same_one_tells_of_it(open_store: OpenStore, funded: Storage) -> None:
    await funded.alerting.alerts.add(ALERT, most=9)
    await funded.alerting.webhooks.add(WEBHOOK, most=9)
    async with open_store() as other:
        stores = [funded, other] * 8
        kept = await asyncio.gather(
            *[
                store.alerting.alerts.keep(ALERT, BELOW, [notice(number)], ["usr_1"])
                for number, store in enumerate(stores)
            ]
        )
    assert sum(kept) == 1
    mail, hook = await funded.alerting.outbox.deliveries(ACCOUNT, most=9)
    assert mail.notice == hook.notice
    told = [(each.channel, each.target) for each in (mail, hook)]
    assert told == [(Channel.MAIL, "usr_1"), (Channel.WEBHOOK, "wh_1")]
    [alert] = await funded.alerting.alerts.of_account(ACCOUNT)
    assert (alert.standing, alert.fired_at) == (BELOW, NOON)
    armed = AlertStanding(2)
    assert await funded.alerting.alerts.keep(alert, armed, [], ["usr_1"])
    [alert] = await funded.alerting.alerts.of_account(ACCOUNT)
    assert (alert.standing, alert.fired_at) == (armed, NOON)


async def test_a_crossing_that_was_told_is_never_told_again(funded: Storage) -> None:
    await funded.alerting.alerts.add(ALERT, most=9)
    assert await funded.alerting.alerts.keep(ALERT, BELOW, [notice()], ["usr_1"])
    [alert] = await funded.alerting.alerts.of_account(ACCOUNT)
    assert await funded.alerting.alerts.keep(alert, AlertStanding(2), [notice(2)], ["usr_1"])
    assert len(await funded.alerting.outbox.deliveries(ACCOUNT, most=9)) == 1


async def test_a_webhook_gets_the_kinds_it_wants(funded: Storage) -> None:
    await funded.alerting.alerts.add(ALERT, most=9)
    kinds = (frozenset[str](), frozenset({"balance.below", "spent.day"}), frozenset({"account.frozen"}))
    for number, wanted in enumerate(kinds):
        await funded.alerting.webhooks.add(
            msgspec.structs.replace(WEBHOOK, webhook_id=f"wh_{number}", kinds=wanted), most=9
        )
    await funded.alerting.alerts.keep(ALERT, BELOW, [notice()], [])
    told = await funded.alerting.outbox.deliveries(ACCOUNT, most=9)
    assert sorted(each.target for each in told) == ["wh_0", "wh_1"]
    assert len(await funded.alerting.outbox.deliveries(ACCOUNT, "wh_1", most=9)) == 1


async def test_a_delivery_is_tried_by_one_process_until_it_ends(open_store: OpenStore, funded: Storage) -> None:
    await funded.alerting.outbox.post(notice(), Channel.WEBHOOK, "wh_1")
    assert await funded.alerting.outbox.state() == OutboxState(1, NOON)
    async with open_store() as other:
        stores = [funded, other] * 8
        taken = await asyncio.gather(*[store.alerting.outbox.take(NOON, NOON + MINUTE, most=10) for store in stores])
    [(delivery,)] = [each for each in taken if each]
    assert (delivery.notice, delivery.tries, delivery.state) == (notice(), 1, DeliveryState.WAITING)
    await funded.alerting.outbox.postpone(delivery, NOON + 9 * MINUTE, "it answered with 500")
    assert await funded.alerting.outbox.take(NOON + 8 * MINUTE, NOON + 9 * MINUTE, most=10) == ()
    [again] = await funded.alerting.outbox.take(NOON + 9 * MINUTE, NOON + 10 * MINUTE, most=10)
    assert again.tries == 2
    await funded.alerting.outbox.end(again, DeliveryState.DELIVERED, "", NOON + 9 * MINUTE)
    await funded.alerting.outbox.end(again, DeliveryState.GIVEN_UP, "late", NOON + 9 * MINUTE)
    await funded.alerting.outbox.postpone(again, NOON, "late")
    assert await funded.alerting.outbox.take(NOON + 99 * MINUTE, NOON + 100 * MINUTE, most=10) == ()
    [shown] = await funded.alerting.outbox.deliveries(ACCOUNT, most=10)
    assert (shown.state, shown.tries, shown.note) == (DeliveryState.DELIVERED, 2, "")
    assert await funded.alerting.outbox.state() == OutboxState()


async def test_a_few_of_each_account_are_taken_at_once_and_deliveries_are_its_own(funded: Storage) -> None:
    await funded.ledger.open_wallet("acc_2")
    for number in range(5):
        later = NOON + timedelta(seconds=number)
        await funded.alerting.outbox.post(notice(number, crossing=str(number), at=later), Channel.WEBHOOK, "wh_1")
    others = msgspec.structs.replace(notice(9, crossing="9"), account_id="acc_2")
    await funded.alerting.outbox.post(others, Channel.WEBHOOK, "wh_2")
    taken = await funded.alerting.outbox.take(NOON + MINUTE, NOON + 2 * MINUTE, most=10)
    assert sorted(each.notice.notice_id for each in taken) == ["evt_0", "evt_1", "evt_9"]
    shown = await funded.alerting.outbox.deliveries(ACCOUNT, most=3)
    assert [each.notice.notice_id for each in shown] == ["evt_4", "evt_3", "evt_2"]


async def test_a_webhook_is_kept_rotated_once_and_removed(funded: Storage) -> None:
    await funded.alerting.webhooks.add(WEBHOOK, most=1)
    assert await funded.alerting.webhooks.find(ACCOUNT, "wh_1") == WEBHOOK
    assert await funded.alerting.webhooks.find("acc_other", "wh_1") is None
    with pytest.raises(Conflict, match="1 webhooks"):
        await funded.alerting.webhooks.add(msgspec.structs.replace(WEBHOOK, webhook_id="wh_2"), most=1)
    with pytest.raises(NotFound):
        await funded.alerting.webhooks.add(msgspec.structs.replace(WEBHOOK, account_id="acc_none"), most=1)
    until = NOON + timedelta(days=1)
    rotations = [funded.alerting.webhooks.rotate(WEBHOOK, b"new %d" % number, until=until) for number in range(8)]
    assert sum(await asyncio.gather(*rotations)) == 1
    [found] = await funded.alerting.webhooks.of_account(ACCOUNT)
    assert found.secret.startswith(b"new ")
    assert (found.former_secret, found.former_until) == (b"sealed", until)
    assert not await funded.alerting.webhooks.remove("acc_other", "wh_1")
    assert await funded.alerting.webhooks.remove(ACCOUNT, "wh_1")
    assert await funded.alerting.webhooks.of_account(ACCOUNT) == []


async def look(store: Storage, *kinds: AlertKind, account_id: str = ACCOUNT, now: datetime = NOON) -> Figures:
    return await store.alerting.alerts.figures(account_id, kinds, since=NOON, now=now)


async def test_figures_are_those_of_the_books(funded: Storage) -> None:
    limit = Limit(Holder(HolderKind.ACCOUNT, ACCOUNT), Period.DAY, Unit.MONEY, 1_000)
    await funded.limits.put(ACCOUNT, limit, NOON)
    asked = hold_request(700)
    await funded.books.place(asked)
    await settle(funded.books, asked, 600)
    assert await look(funded) == Figures(at=NOON, balance=9_400)
    found = await look(funded, *AlertKind)
    assert (found.spent_day, found.spent_month) == (600, 600)
    assert [(each.limit, each.spent) for each in found.limits] == [(limit, 600)]
    tomorrow = await look(funded, *AlertKind, now=NOON + timedelta(days=1))
    assert (tomorrow.spent_day, tomorrow.spent_month) == (0, 600 if tomorrow.at.month == NOON.month else 0)
    with pytest.raises(NotFound):
        await look(funded, account_id="acc_none")


async def test_overdue_invoices_and_failed_top_ups_are_found(funded: Storage) -> None:
    rule = TopUpRule(threshold=1_000_000, amount=1_000_000, monthly_maximum=1_000_000)
    await funded.top_ups.set(ACCOUNT, rule, by="usr_1", now=NOON)
    charge = await funded.top_ups.begin(ACCOUNT, NOON)
    assert charge is not None
    assert (await look(funded, AlertKind.TOP_UP_FAILED)).failed_top_ups == ()
    await funded.top_ups.fail(charge, "declined", NOON)
    assert (await look(funded, AlertKind.TOP_UP_FAILED)).failed_top_ups == (Owed("1", 1_000_000),)
    later = await funded.alerting.alerts.figures(ACCOUNT, [AlertKind.TOP_UP_FAILED], since=NOON + MINUTE, now=NOON)
    assert later.failed_top_ups == ()


async def test_an_invoice_is_overdue_from_the_day_it_was_due(funded: Storage) -> None:
    await funded.ledger.open_wallet("acc_line")
    await funded.credit_lines.set("acc_line", 90_000_000, NOON)
    used = hold_request(20_000_000, account_id="acc_line", key_id="key_line")
    await funded.books.place(used)
    await settle(funded.books, used, 20_000_000)
    end = Month("2026-11").end + timedelta(days=9)
    made = await funded.invoices.close("acc_line", Month("2026-11"), end)
    assert made is not None
    await funded.invoices.bring(made.invoice_id, Sent(InvoiceState.OPEN, "in_1", "", end), end)
    for now, names in ((end - MINUTE, ()), (end, (made.invoice_id,))):
        found = await look(funded, AlertKind.INVOICE_OVERDUE, account_id="acc_line", now=now)
        assert tuple(each.name for each in found.overdue) == names
