"""Stripe did it and we never heard: asked again, a day or a month later, there is one charge."""

import pytest

from monkey_coder_server.adapters.payments import StripeGate, StripeOptions
from monkey_coder_server.adapters.payments.client import Sdk
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.domain.payments import PaymentSeen, PaymentState
from monkey_coder_server.ports.payments import OffSessionCharge
from packages.server.tests.payments.till import KEY, Till

pytestmark = pytest.mark.system


async def bought(till: Till) -> None:
    await till.buy(2_500)
    await till.settled()


def charges(till: Till) -> int:
    return len([each for each in till.control.find("payment_intent") if each["amount"] == 2_000])


async def insisted(till: Till, charge: OffSessionCharge) -> tuple[PaymentSeen, list[float | None]]:
    """Ask until there is an answer, under one key; the answer, and how long each refusal asked to wait."""
    waits = []
    for _ in range(4):
        try:
            return await till.gate.charge(charge, key="topup_1"), waits
        except Unavailable as away:
            waits.append(away.retry_after)
    raise AssertionError(waits)


async def test_a_failure_that_stripe_remembers_under_the_key_charges_once_it_is_forgotten(till: Till) -> None:
    await bought(till)
    charge = await till.charge_of("topup_1")
    till.control.fault("server_error", method="POST", path="/v1/payment_intents")
    for _ in range(2):
        with pytest.raises(Unavailable):
            await till.gate.charge(charge, key="topup_1")
    assert charges(till) == 0
    till.control.advance(2)
    assert (await till.gate.charge(charge, key="topup_1")).state is PaymentState.SUCCEEDED
    assert charges(till) == 1


@pytest.mark.parametrize("fault", ["cut_after_commit", "server_error_after_commit", "cut"])
@pytest.mark.parametrize("times", [1, 5])
async def test_an_answer_that_is_lost_costs_nobody_twice(till: Till, fault: str, times: int) -> None:
    await bought(till)
    charge = await till.charge_of("topup_1")
    till.control.fault(fault, method="POST", path="/v1/payment_intents", times=times)
    seen, _ = await insisted(till, charge)
    assert seen.state is PaymentState.SUCCEEDED
    assert charges(till) == 1
    await till.settled()
    assert await till.balance() == 4_500


async def test_a_timeout_after_the_charge_costs_nobody_twice(till: Till) -> None:
    await bought(till)
    charge = await till.charge_of("topup_1")
    sdk = Sdk(StripeOptions(KEY, till.stripe.url, seconds=(1.0, 0.3)))
    impatient = StripeGate(sdk, till.gateway.books.clock)
    till.control.fault("timeout_after_commit", method="POST", path="/v1/payment_intents", seconds=1.0)
    assert (await impatient.charge(charge, key="topup_1")).state is PaymentState.SUCCEEDED
    await impatient.close()
    assert (await till.gate.charge(charge, key="topup_1")).state is PaymentState.SUCCEEDED
    assert charges(till) == 1


async def test_a_charge_asked_for_again_when_its_key_is_forgotten_is_found(till: Till) -> None:
    await bought(till)
    charge = await till.charge_of("topup_1")
    first = await till.gate.charge(charge, key="topup_1")
    till.control.advance(3)
    again = await till.gate.charge(charge, key="topup_1")
    assert again.payment_id == first.payment_id
    assert charges(till) == 1


async def test_a_refund_asked_for_again_when_its_key_is_forgotten_is_found(till: Till) -> None:
    payment = await till.buy(2_500)
    first = await till.gate.refund(payment, 400, "order_1", key="order_1")
    till.control.advance(3)
    again = await till.gate.refund(payment, 400, "order_1", key="order_1")
    assert again.refund_id == first.refund_id
    assert len(till.control.find("refund")) == 1


@pytest.mark.parametrize("fault", ["rate_limit", "lock_timeout"])
async def test_too_many_calls_are_asked_to_come_back_and_charge_once(till: Till, fault: str) -> None:
    await bought(till)
    charge = await till.charge_of("topup_1")
    till.control.fault(fault, method="POST", path="/v1/payment_intents", times=3)
    _, waits = await insisted(till, charge)
    assert waits
    assert None not in waits
    assert charges(till) == 1
