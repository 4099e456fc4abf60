"""Receipts of a period page by page, and statements that equal their sum."""

import json
from datetime import datetime, timedelta
from random import Random

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.ports.statements import Issued
from packages.server.tests.contract.booking import ACCOUNT, KEY, NOON, hold_request, settle

MONTH = NOON.replace(day=1, hour=0), NOON.replace(month=12, day=1, hour=0)


async def charge(store: Storage, price: int, *, key: str = KEY, at: datetime = NOON, model: str = "m") -> str:
    asked = hold_request(price + 10, key_id=key, at=at)
    await store.books.place(asked)
    return (await settle(store.books, asked, price, at=at, model=model)).receipt_id


async def pages(store: Storage, *, key: str | None = None, most: int = 3) -> list[Issued]:
    found: list[Issued] = []
    while True:
        after = found[-1].place if found else None
        page = await store.statements.issued(ACCOUNT, start=MONTH[0], end=MONTH[1], after=after, key_id=key, most=most)
        if not page:
            return found
        found += page


async def test_pages_hold_every_receipt_once_in_the_order_of_their_charges(funded: Storage) -> None:
    moments = [NOON, NOON, NOON + timedelta(seconds=5), NOON, NOON + timedelta(days=1), NOON, NOON]
    ids = [await charge(funded, 10 + number, at=at) for number, at in enumerate(moments)]
    found = await pages(funded, most=2)
    assert sorted(each.receipt.receipt_id for each in found) == sorted(ids)
    assert [each.place for each in found] == sorted(
        (each.place for each in found), key=lambda place: (place.at, place.request_id)
    )
    assert await funded.ledger.receipt(ACCOUNT, ids[0]) in [each.receipt for each in found]


async def test_pages_can_be_of_one_key_and_never_of_another_account(funded: Storage) -> None:
    await charge(funded, 10)
    other = await charge(funded, 20, key="key_2")
    assert [each.receipt.receipt_id for each in await pages(funded, key="key_2")] == [other]
    assert [(each.key_id, each.sequence) for each in await pages(funded, key="key_2")] == [("key_2", 1)]
    assert not await funded.statements.issued("acc_2", start=MONTH[0], end=MONTH[1], after=None, key_id=None, most=9)


async def test_a_statement_equals_the_sum_of_its_receipts_line_by_line(funded: Storage) -> None:
    """Twenty random businesses; what lies outside the month, and what was voided, is in neither."""
    dice = Random(4)
    spread = [MONTH[0] - timedelta(microseconds=1), MONTH[0], NOON, MONTH[1] - timedelta(microseconds=1), MONTH[1]]
    for _ in range(40):
        await charge(
            funded,
            dice.choice([0, 1, 7, dice.randrange(1, 50)]),
            key=dice.choice([KEY, "key_2", "key_3"]),
            at=dice.choice(spread),
            model=dice.choice(["m", "n"]),
        )
    lines = await funded.statements.lines(ACCOUNT, start=MONTH[0], end=MONTH[1])
    bodies = [json.loads(each.receipt.body) for each in await pages(funded, most=7)]
    sums: dict[tuple[str, str, str], list[int]] = {}
    for body in bodies:
        sums.setdefault((body["key_id"], body["provider"], body["model"]), []).append(body["charge_nano"])
    assert {(line.key_id, line.provider, line.model): (line.requests, line.charged) for line in lines} == {
        place: (len(charges), sum(charges)) for place, charges in sums.items()
    }
    assert sum(line.charged for line in lines) == await funded.ledger.spent(ACCOUNT, start=MONTH[0], end=MONTH[1])
    assert all(MONTH[0].isoformat() <= body["at"] < MONTH[1].isoformat() for body in bodies)


async def test_the_key_of_the_newest_receipt_is_told(funded: Storage, signer: Ed25519Signer) -> None:
    assert await funded.statements.signed_by() is None
    await charge(funded, 10)
    assert await funded.statements.signed_by() == signer.key_id
