import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from monkey_coder_server.adapters.payments import StripeGate
from monkey_coder_server.adapters.payments.client import Sdk, StripeOptions
from monkey_coder_server.adapters.system.clock import SystemClock
from packages.server.tests.adapters.payments import objects
from packages.server.tests.adapters.payments.stripe_double import StripeDouble

SECRET_KEY = "rk_test_canary4f2a"


@pytest.fixture(autouse=True)
def _nothing_of_stripe_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever is called and however it ends: no id, no card, no key, no text of theirs, at no level."""
    caplog.set_level(logging.DEBUG)
    yield
    written = "".join(f"{each.getMessage()}{each.exc_text}{_told(each)}" for each in caplog.get_records("call"))
    markers = (*objects.IDS, SECRET_KEY, "4242", "Canary", "/v1/", "whsec_", "evt_1")
    assert not [marker for marker in markers if marker in written]


def _told(record: logging.LogRecord) -> dict[str, object]:
    """All that a record holds but when it was made and where: a time or a thread may have any digits."""
    counted = {"created", "msecs", "relativeCreated", "thread", "process", "lineno"}
    return {name: value for name, value in record.__dict__.items() if name not in counted}


@pytest.fixture
def double() -> Iterator[StripeDouble]:
    double = StripeDouble()
    yield double
    double.close()


@pytest.fixture
async def sdk(double: StripeDouble, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Sdk]:
    import stripe

    monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.001)  # between the SDK's own retries
    sdk = Sdk(StripeOptions(SECRET_KEY, double.url, seconds=(1.0, 1.0)))
    yield sdk
    sdk.close()


@pytest.fixture
def gate(sdk: Sdk) -> StripeGate:
    return StripeGate(sdk, SystemClock())
