"""Receipts as they were signed: whose, when, for which model and project, and what was charged."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from tests.month.house import House


class Charge(NamedTuple):
    """Nano-dollars; `month` like `2027-03`, `model` with its provider, no project for keys that have none."""

    request_id: str
    account_id: str
    month: str
    project: str
    model: str
    amount: int


def read_receipts(house: House) -> Iterator[Charge]:
    """All of them."""
    projects = {key: project or "" for key, project in house.read("SELECT key_id, project_id FROM api_keys")}
    for (text,) in house.read("SELECT body FROM receipts"):
        body = json.loads(text)
        model = f"{body['provider']}/{body['model']}"
        project = projects[body["key_id"]]
        yield Charge(body["request_id"], body["account_id"], body["at"][:7], project, model, body["charge_nano"])


def by_line(house: House) -> Counter[tuple[str, str, str, str]]:
    """What receipts come to by account, month, project and model."""
    sums: Counter[tuple[str, str, str, str]] = Counter()
    for each in read_receipts(house):
        sums[each.account_id, each.month, each.project, each.model] += each.amount
    return sums


def by_account(house: House) -> Counter[str]:
    """What receipts come to by account."""
    sums: Counter[str] = Counter()
    for each in read_receipts(house):
        sums[each.account_id] += each.amount
    return sums
