"""Objects are looked up anew, whoever they belong to, and the books are brought to them."""

from dataclasses import replace

import pytest
from msgspec import structs

from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.payments import PaymentState, Purpose
from monkey_coder_server.ports.payments import CustomerSeen
from packages.server.tests.features.billing.payments.processor import (
    INVOICE,
    PAID,
    SUBSCRIPTION,
    Processor,
    stranger,
)


async def test_a_payment_is_booked_once_and_noted_once_however_often_it_is_told() -> None:
    processor = Processor({"pi_1": PAID})
    payment = processor.events().handlers()["payment"]
    assert [await payment("pi_1") for _ in range(3)] == ["booked", "nothing new", "nothing new"]
    [note] = processor.noted
    assert (note.actor, note.action, note.account_id) == ("payments", "payments.book", "acct_1")
    assert note.details == "credit, succeeded, credit of 10.00 USD"
    assert "pi_1" not in repr(note)


async def test_a_payment_belongs_to_who_is_known_for_its_customer_whatever_is_written_on_it() -> None:
    processor = Processor({"pi_1": replace(PAID, account_id="acct_other")})
    await processor.events().payment("pi_1")
    assert processor.booked["pi_1"].account_id == "acct_1"
    processor.known.clear()
    await processor.events().payment("pi_1")
    assert processor.booked["pi_1"].account_id == "acct_other"


async def test_a_strangers_money_is_told_and_a_strangers_try_is_not() -> None:
    processor = Processor({"pi_2": stranger()})
    with pytest.raises(NotFound):
        await processor.events().payment("pi_2")
    processor.there["pi_2"] = stranger(cents=0, state=PaymentState.FAILED)
    assert await processor.events().payment("pi_2") == "nobody's, and nothing paid"
    assert not processor.booked


async def test_what_is_gone_is_nothing_to_do_about() -> None:
    handlers = Processor().events().handlers()
    assert [await handlers[kind]("x") for kind in ("payment", "invoice", "subscription")] == ["gone"] * 3


async def test_a_plans_fee_gives_what_the_plan_says() -> None:
    processor = Processor({"pi_1": replace(PAID, purpose=Purpose.SUBSCRIPTION)})
    await processor.events().payment("pi_1")
    processor.there["pi_1"] = PAID
    await processor.events().payment("pi_1")
    assert [each.credit if each else None for each in processor.gave] == [5, None]


async def test_an_invoice_brings_its_payments_and_then_its_plan() -> None:
    processor = Processor({"pi_1": PAID, "in_1": INVOICE})
    assert await processor.events().invoice("in_1") == "looked at"
    assert list(processor.booked) == ["pi_1"]
    assert processor.plans == [structs.replace(INVOICE, account_id="acct_1")]


async def test_a_strangers_invoice_is_told_once_it_is_paid() -> None:
    unpaid = structs.replace(INVOICE, customer_id="cus_9", paid_cents=0, payment_ids=())
    processor = Processor({"in_1": unpaid, "pi_2": stranger()})
    assert await processor.events().invoice("in_1") == "nobody's, and nothing paid"
    processor.there["in_1"] = structs.replace(unpaid, paid_cents=1, payment_ids=("pi_2",))
    with pytest.raises(NotFound):
        await processor.events().invoice("in_1")


async def test_a_subscription_is_its_accounts() -> None:
    processor = Processor({"sub_1": SUBSCRIPTION})
    assert await processor.events().subscription("sub_1") == "looked at"
    assert processor.plans == [structs.replace(SUBSCRIPTION, account_id="acct_1")]
    processor.known.clear()
    with pytest.raises(NotFound):
        await processor.events().subscription("sub_1")


async def test_a_customer_who_was_deleted_is_forgotten() -> None:
    there = CustomerSeen("cus_1", "acct_1", deleted=False, card=None, live=False)
    processor = Processor({"cus_1": there})
    customer = processor.events().customer
    assert (await customer("cus_1"), processor.forgotten) == ("nothing new", [])
    processor.there["cus_1"] = structs.replace(there, deleted=True)
    assert [await customer(each) for each in ("cus_1", "cus_9")] == ["forgotten", "forgotten"]
    assert processor.forgotten == ["cus_1", "cus_9"]
    assert [each.target for each in processor.noted] == ["acct_1"]
