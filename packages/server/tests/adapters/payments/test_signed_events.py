"""A webhook is Stripe's and of this moment, or it is refused: one sentence for all that can be wrong."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monkey_coder_server.adapters.payments import SignedEvents
from monkey_coder_server.adapters.payments.client import Sdk, StripeOptions
from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.payments import EventSeen

SECRET, OLD, OTHER = "whsec_current0123456789", "whsec_before0123456789", "whsec_other0123456789"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "payment_intent.succeeded",
    "created": 1_790_000_000,
    "livemode": False,
    "data": {"object": {"id": "pi_1", "object": "payment_intent", "amount": 1}},
}


def signature(body: bytes, *, secret: str = SECRET, at: timedelta = timedelta(0)) -> str:
    import stripe

    moment = int((datetime.now(UTC) + at).timestamp())
    return stripe.WebhookSignature.generate_signature_header(body.decode(), secret, moment)


@pytest.fixture
def events() -> SignedEvents:
    return SignedEvents(Sdk(StripeOptions("rk_test_canary", "http://127.0.0.1:1")), [SECRET, OLD], SystemClock())


async def test_what_is_signed_well_says_which_object_it_is_about(events: SignedEvents) -> None:
    body = json.dumps(EVENT).encode()
    assert await events.read(body, signature(body)) == EventSeen(
        "evt_1", "payment_intent.succeeded", datetime.fromtimestamp(1_790_000_000, UTC), False, "payment", "pi_1"
    )


async def test_a_secret_on_its_way_out_is_taken_too(events: SignedEvents) -> None:
    body = json.dumps(EVENT).encode()
    assert (await events.read(body, signature(body, secret=OLD))).event_id == "evt_1"
    both = f"{signature(body, secret=OTHER)},{signature(body).partition(',')[2]}"
    assert (await events.read(body, both)).event_id == "evt_1"


async def test_a_thin_event_is_of_no_concern(events: SignedEvents) -> None:
    thin = {"id": "evt_2", "object": "v2.core.event", "type": "v1.billing.meter.no_meter_found", "livemode": False}
    body = json.dumps(thin | {"created": "2026-11-01T00:00:00Z"}).encode()
    seen = await events.read(body, signature(body))
    assert (seen.object_kind, seen.object_id) == ("", "")


@pytest.mark.parametrize(
    "age", [timedelta(seconds=301), timedelta(days=3), timedelta(seconds=-65), timedelta(hours=-1)]
)
async def test_what_is_not_of_this_moment_is_refused(events: SignedEvents, age: timedelta) -> None:
    body = json.dumps(EVENT).encode()
    with pytest.raises(InvalidRequest, match="not of this moment"):
        await events.read(body, signature(body, at=-age))


@pytest.mark.parametrize("age", [timedelta(seconds=295), timedelta(seconds=-50)])
async def test_clocks_may_differ_a_little(events: SignedEvents, age: timedelta) -> None:
    body = json.dumps(EVENT).encode()
    assert (await events.read(body, signature(body, at=-age))).event_id == "evt_1"


GOOD = json.dumps(EVENT).encode()


@pytest.mark.parametrize(
    ("body", "header"),
    [
        (GOOD + b" ", lambda: signature(GOOD)),
        (GOOD.replace(b"pi_1", b"pi_2"), lambda: signature(GOOD)),
        (GOOD, lambda: signature(GOOD, secret=OTHER)),
        (GOOD, lambda: ""),
        (GOOD, lambda: "t=,v1="),
        (GOOD, lambda: "nonsense"),
        (GOOD, lambda: signature(GOOD).replace("v1=", "v0=")),
        (GOOD, lambda: signature(GOOD).partition(",")[2]),
        (GOOD, lambda: signature(GOOD).replace("t=", " t=")),
        (GOOD, lambda: signature(GOOD).replace("v1=", "v1=é")),
        (GOOD, lambda: "t=99999999999999," + signature(GOOD)),
        (b"\xff\xfe", lambda: signature(GOOD)),
    ],
)
async def test_what_is_not_stripes_is_refused(events: SignedEvents, body: bytes, header: Any) -> None:
    with pytest.raises(InvalidRequest, match="not Stripe's") as refused:
        await events.read(body, header())
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("text", ["[]", "{}", '{"id": 1}', "{"])
async def test_what_is_signed_and_no_event_is_refused(events: SignedEvents, text: str) -> None:
    with pytest.raises(InvalidRequest, match="no event"):
        await events.read(text.encode(), signature(text.encode()))


async def test_without_a_secret_nothing_is_anybodys() -> None:
    nobody = SignedEvents(Sdk(StripeOptions("rk_test_canary", "http://127.0.0.1:1")), ["", " "], SystemClock())
    with pytest.raises(InvalidRequest, match="not Stripe's"):
        await nobody.read(GOOD, f"t={int(datetime.now(UTC).timestamp())},v1=" + "0" * 64)
