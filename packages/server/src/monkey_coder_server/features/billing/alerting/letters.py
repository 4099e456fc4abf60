"""What alerts say, to people and to programs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from monkey_coder_server.domain.alerts import AlertKind, Facts
from monkey_coder_server.domain.payments import WHY_FROZEN
from monkey_coder_server.ports.notices import Notice

TEST_KIND = "webhook.test"
Told = tuple[str, tuple[str, ...]]
"""A subject and paragraphs."""


@dataclass(frozen=True, slots=True)
class AlertLetter:
    """A mail: a subject and paragraphs, all plain text."""

    subject: str
    paragraphs: tuple[str, ...]


class Event(msgspec.Struct):
    """What a webhook posts. `timestamp` is when it came about, ISO 8601."""

    type: str
    timestamp: str
    data: dict[str, str]


_event = msgspec.json.Decoder(Event)
_CHANGE = "Whoever manages the account's billing can change this alert: `monkey billing alerts`, or /v1/billing/alerts."


def letter_of(notice: Notice) -> AlertLetter:
    """A notice as its readers are written to."""
    data = _event.decode(notice.body).data
    subject, paragraphs = _TOLD[AlertKind(notice.kind)](data)
    return AlertLetter(subject, (*paragraphs, f"This is about the account {notice.account_id}. {_CHANGE}"))


def _balance(data: Facts) -> Told:
    below = f"below {data['threshold_usd']} USD"
    said = f"The balance is {data['balance_usd']} USD, which is {below}."
    return f"The balance is {below}", (said, "You are told again after it was back above, and fell again.")


def _spent_day(data: Facts) -> Told:
    return _spent(data, "today", f"On {data['period']} (UTC)", "for a day")


def _spent_month(data: Facts) -> Told:
    return _spent(data, "this month", f"In {data['period']} (UTC)", "for a month")


def _spent(data: Facts, when: str, since: str, each: str) -> Told:
    line = f"You wanted to be told above {data['threshold_usd']} {each}."
    said = f"{since} {data['spent_usd']} USD were spent so far. {line}"
    return f"More than {data['threshold_usd']} USD were spent {when}", (said,)


def _limit(data: Facts) -> Told:
    unit, name = ("usd", "USD") if "spent_usd" in data else ("tokens", "tokens")
    model = f" for the model {data['model']}" if "model" in data else ""
    said = (
        f"Of the limit of {data['holder']} {data['holder_id']}{model}, {data[f'limit_{unit}']} {name} "
        f"({data['period']}), {data[f'spent_{unit}']} are used."
    )
    return f"A spending limit is used to {data['percent']}%", (said, "Beyond the limit requests are refused.")


def _frozen(data: Facts) -> Told:
    return "The account is frozen", tuple([told for reason, told in WHY_FROZEN.items() if reason == data["reason"]])


def _overdue(data: Facts) -> Told:
    said = f"The invoice {data['invoice_id']} over {data['total_usd']} USD is not paid and its due date is over."
    return "An invoice is overdue", (said, "`monkey invoices show` tells where to pay it.")


def _top_up(data: Facts) -> Told:
    return "An automatic top-up failed", (f"{data['amount_usd']} USD were to be bought, and the payment failed.",)


_TOLD: Mapping[AlertKind, Callable[[Facts], Told]] = {
    AlertKind.BALANCE_BELOW: _balance,
    AlertKind.SPENT_DAY: _spent_day,
    AlertKind.SPENT_MONTH: _spent_month,
    AlertKind.LIMIT_SHARE: _limit,
    AlertKind.FROZEN: _frozen,
    AlertKind.INVOICE_OVERDUE: _overdue,
    AlertKind.TOP_UP_FAILED: _top_up,
}
