"""How Stripe is called: in bounded threads, again under the same key, and with errors of ours alone."""

import asyncio
import os
import subprocess
import sys
from typing import Any

import pytest

from monkey_coder_server.adapters.payments import StripeGate
from monkey_coder_server.adapters.payments.client import Sdk, StripeOptions
from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.domain.errors import GatewayError, IdempotencyConflict, PaymentRefused, Unavailable
from monkey_coder_server.ports.payments import NewCustomer
from packages.server.tests.adapters.payments import objects
from packages.server.tests.adapters.payments.conftest import SECRET_KEY
from packages.server.tests.adapters.payments.stripe_double import HANG, Answer, StripeDouble, failure

pytestmark = pytest.mark.system
ME = NewCustomer("acct_1", "canary@x.example", "Canary Name")
SAID = f"No such customer: '{objects.CUSTOMER}'; card 4242424242424242"


async def refused(gate: StripeGate, double: StripeDouble, *answers: Answer) -> GatewayError:
    double.on("POST", "/v1/customers", *answers)
    with pytest.raises(GatewayError) as raised:
        await gate.create_customer(ME, key="k")
    error = raised.value
    assert error.__cause__ is None
    assert error.__context__ is None
    assert not [each for each in (*objects.IDS, "4242", "canary") if each in error.message]
    return error


async def test_a_broken_answer_is_asked_for_again_under_the_same_key(gate: StripeGate, double: StripeDouble) -> None:
    double.on("POST", "/v1/customers", failure(500), Answer(b"", HANG), Answer(objects.customer()))
    assert await gate.create_customer(ME, key="acct_1:customer") == objects.CUSTOMER
    keys = [each.headers["idempotency-key"] for each in double.asked]
    assert keys == ["acct_1:customer"] * 3


@pytest.mark.parametrize(
    ("answer", "tries"),
    [
        (failure(500, message=SAID), 3),
        (failure(503, message=SAID), 3),
        (Answer(b"", HANG), 3),
        (failure(409, code="idempotency_key_in_use", message=SAID), 3),
        (failure(429, code="lock_timeout", message=SAID, headers={"stripe-should-retry": "true"}), 3),
        (failure(429, code="rate_limit", message=SAID), 1),
        (Answer(b"<html>no", 502), 3),
    ],
)
async def test_what_may_pass_is_told_to_come_back(
    gate: StripeGate, double: StripeDouble, answer: Answer, tries: int
) -> None:
    error = await refused(gate, double, answer)
    assert isinstance(error, Unavailable)
    assert error.retry_after == 5.0
    assert len(double.asked) == tries


async def test_stripe_says_when_to_come_back(gate: StripeGate, double: StripeDouble) -> None:
    assert (await refused(gate, double, failure(429, headers={"retry-after": "17"}))).retry_after == 17.0
    assert (await refused(gate, double, failure(429, headers={"retry-after": "soon"}))).retry_after == 5.0


async def test_what_is_refused_says_so_in_stripes_word_alone(gate: StripeGate, double: StripeDouble) -> None:
    error = await refused(gate, double, failure(400, code="amount_too_small", param="amount", message=SAID))
    assert isinstance(error, PaymentRefused)
    assert error.facts == {"refusal": "amount_too_small"}
    gone = await refused(gate, double, failure(400, code="resource_missing", param="customer", message=SAID))
    assert gone.facts == {"refusal": "customer_gone"}
    strange = await refused(gate, double, failure(400, code=objects.PAYMENT, param=objects.CUSTOMER, message=SAID))
    assert strange.facts == {"refusal": "InvalidRequestError"}
    declined = await refused(gate, double, failure(402, code="card_declined", message=SAID))
    assert isinstance(declined, PaymentRefused)


async def test_one_key_for_two_things_is_a_conflict(gate: StripeGate, double: StripeDouble) -> None:
    error = await refused(gate, double, failure(400, type="idempotency_error", message=SAID))
    assert isinstance(error, IdempotencyConflict)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_not_taken_is_the_operators_matter(
    gate: StripeGate, double: StripeDouble, status: int
) -> None:
    error = await refused(gate, double, failure(status, message=f"Invalid API Key: {SECRET_KEY}"))
    assert isinstance(error, Unavailable)
    assert "operator" in error.message


async def test_an_address_where_nobody_is_is_away() -> None:
    sdk = Sdk(StripeOptions(SECRET_KEY, "http://127.0.0.1:1"))
    with pytest.raises(Unavailable, match="cannot be reached"):
        await StripeGate(sdk, SystemClock()).payment(objects.PAYMENT)
    sdk.close()


async def test_more_calls_than_there_is_room_for_are_turned_away(double: StripeDouble) -> None:
    sdk = Sdk(StripeOptions(SECRET_KEY, double.url, threads=1, queue=1))
    gate = StripeGate(sdk, SystemClock())
    double.on("POST", "/v1/customers", Answer(objects.customer()))
    calls = [gate.create_customer(ME, key=f"k{number}") for number in range(4)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sorted(type(each).__name__ for each in outcomes) == ["Unavailable", "Unavailable", "str", "str"]
    assert await gate.create_customer(ME, key="later") == objects.CUSTOMER
    await gate.close()


async def test_a_call_whose_caller_left_makes_room(double: StripeDouble) -> None:
    sdk = Sdk(StripeOptions(SECRET_KEY, double.url, threads=1, queue=0))
    gate = StripeGate(sdk, SystemClock())
    double.on("POST", "/v1/customers", Answer(objects.customer()))
    for number in range(3):
        call = asyncio.create_task(gate.create_customer(ME, key=f"k{number}"))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        await asyncio.to_thread(sdk._room.acquire)
        sdk._room.release()
    assert await gate.create_customer(ME, key="later") == objects.CUSTOMER
    await gate.close()


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    whole = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run(  # noqa: S603 - this repository's own code
        [sys.executable, "-c", code], env=whole, capture_output=True, text=True, check=True, timeout=60
    )


def test_nothing_that_starts_loads_the_sdk() -> None:
    python(
        "import sys\n"
        "import monkey_coder_server.bootstrap.gateway, monkey_coder_server.adapters.payments\n"
        "from monkey_coder_server.settings import help_text; help_text()\n"
        "assert not [name for name in sys.modules if name == 'stripe' or name.startswith(('stripe.', 'requests'))]"
    )


CALL = """
import asyncio, logging, sys
logging.basicConfig(level=logging.DEBUG)
from monkey_coder_server.adapters.payments import StripeGate
from monkey_coder_server.adapters.payments.client import Sdk, StripeOptions
from monkey_coder_server.adapters.system.clock import SystemClock
gate = StripeGate(Sdk(StripeOptions(sys.argv[1], sys.argv[2])), SystemClock())
print(asyncio.run(gate.payment(sys.argv[3])))
"""


@pytest.mark.parametrize("level", ["debug", "info"])
async def test_the_sdks_own_switch_for_logs_writes_nothing(double: StripeDouble, level: str) -> None:
    double.on("GET", f"/v1/payment_intents/{objects.PAYMENT}", Answer(objects.payment()))
    arguments: Any = [sys.executable, "-c", CALL, SECRET_KEY, double.url, objects.PAYMENT]
    environment = {"PATH": os.environ["PATH"], "STRIPE_LOG": level}
    ended = await asyncio.to_thread(
        subprocess.run, arguments, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert objects.PAYMENT in ended.stdout, "the call was made"
    assert not [each for each in (*objects.IDS, "v1/", SECRET_KEY) if each in ended.stderr]
