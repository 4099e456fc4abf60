"""The validators: every route has one, and it catches what a careless caller sends."""

from typing import Any

import pytest

from monkey_coder_server.sandbox.stripe.api import ROUTES
from packages.server.tests.simulated_stripe import strict_stripe
from packages.server.tests.stripe_types import PARAMETERS, Validators, adapter


def test_every_route_of_the_simulator_has_a_validator_and_every_validator_a_route() -> None:
    assert set(PARAMETERS) == {route.name for route in ROUTES}


@pytest.mark.parametrize("module", sorted(set(PARAMETERS.values())))
def test_every_validator_refuses_what_the_sdk_does_not_know(module: str) -> None:
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        adapter(module).validate_python({"surprise": "1"})


GOOD: dict[str, Any] = {"amount": "100", "currency": "usd"}


@pytest.mark.parametrize(
    "bad",
    [
        {"amount": "100"},
        {**GOOD, "confrm": "true"},
        {**GOOD, "api_key": "sk_test_x"},
        {**GOOD, "amount": "1.5"},
        {**GOOD, "capture_method": "whenever"},
        {**GOOD, "automatic_payment_methods": {"enabled": "true", "allowed": "never"}},
        {**GOOD, "metadata": {"a": {"b": "c"}}},
    ],
)
def test_a_missing_unknown_nested_or_wrongly_typed_field_and_a_word_outside_an_enum_are_refused(
    bad: dict[str, Any],
) -> None:
    check = Validators()["POST /v1/payment_intents"]
    check(GOOD)
    with pytest.raises(ValueError, match="validation error"):
        check(bad)


@pytest.mark.system
async def test_a_route_that_is_called_without_a_validator_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    import aiohttp

    monkeypatch.delitem(PARAMETERS, "GET /v1/balance")
    with pytest.raises(AssertionError, match="GET /v1/balance"):
        async with strict_stripe() as running, aiohttp.ClientSession() as session:
            await session.get(f"{running.url}/v1/balance", headers={"Authorization": "Bearer sk_test_x"})
