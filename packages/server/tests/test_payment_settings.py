"""`STRIPE_…`: what is read, what is refused, and what is only said."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from monkey_coder_server.settings import PaymentSettings, Secret, Settings, SettingsError, load
from packages.server.tests.test_settings import OTHER, STRONG

HOOK, OLD_HOOK = "whsec_canary0123456789abcdef", "whsec_canary-old-0123456789"
PAYING = {"STRIPE_SECRET_KEY": "rk_test_canary", "STRIPE_WEBHOOK_SECRET": HOOK}
PRODUCTION = {"ENVIRONMENT": "production", "JWT_SECRET_KEY": STRONG, "KEY_PEPPER": OTHER}


def read(folder: Path, given: Mapping[str, str]) -> Settings:
    return load(given, folder=folder)


def test_without_a_key_nobody_can_pay(tmp_path: Path) -> None:
    assert read(tmp_path, {}).payments is None
    assert read(tmp_path, {"STRIPE_TAX": "on"}).payments is None


def test_a_key_and_the_secret_of_webhooks_are_enough(tmp_path: Path) -> None:
    settings = read(tmp_path, PAYING)
    assert settings.payments == PaymentSettings(
        secret_key=Secret("rk_test_canary"),
        public_key="",
        webhook_secrets=(Secret(HOOK),),
        api_base="https://api.stripe.com",
        live=False,
        tax=False,
    )
    assert not [notice for notice in settings.notices if "STRIPE" in notice]
    assert str(settings.payments) == "Stripe, test mode, tax off"


def test_secrets_of_webhooks_may_be_several_while_one_is_replaced(tmp_path: Path) -> None:
    payments = read(tmp_path, {**PAYING, "STRIPE_WEBHOOK_SECRET": f" {HOOK}, {OLD_HOOK}"}).payments
    assert payments is not None
    assert payments.webhook_secrets == (Secret(HOOK), Secret(OLD_HOOK))


def test_the_simulator_is_reached_at_its_own_address(tmp_path: Path) -> None:
    payments = read(tmp_path, {**PAYING, "STRIPE_API_BASE": "http://127.0.0.1:8081/", "STRIPE_TAX": "ON"}).payments
    assert payments is not None
    assert (payments.api_base, payments.tax) == ("http://127.0.0.1:8081", True)
    assert str(payments) == "Stripe at http://127.0.0.1:8081, test mode, tax on"


def test_live_mode_is_for_production(tmp_path: Path) -> None:
    live = {**PAYING, "STRIPE_SECRET_KEY": "rk_live_canary", "STRIPE_PUBLIC_KEY": "pk_live_canary"}
    payments = read(tmp_path, {**PRODUCTION, **live}).payments
    assert payments is not None
    assert (payments.live, payments.secret_key) == (True, Secret("rk_live_canary"))


@pytest.mark.parametrize("key", ["sk_live_canary", "rk_live_canary"])
@pytest.mark.parametrize("environment", ["", "development"])
def test_real_money_outside_production_is_refused(tmp_path: Path, key: str, environment: str) -> None:
    with pytest.raises(SettingsError, match="moves real money") as refused:
        read(tmp_path, {**PAYING, "STRIPE_SECRET_KEY": key, "ENVIRONMENT": environment})
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"STRIPE_SECRET_KEY": "pk_test_canary"}, "holds a publishable key"),
        ({"STRIPE_SECRET_KEY": "whsec_canary0123456789"}, "holds a webhook secret"),
        ({"STRIPE_SECRET_KEY": "sk-canary"}, "is no key of Stripe"),
        ({"STRIPE_SECRET_KEY": "sk_test_canary sk_test_canary"}, "is no key of Stripe"),
        ({"STRIPE_SECRET_KEY": "", "STRIPE_WEBHOOK_SECRET": "", "STRIPE_PUBLIC_KEY": "pk_test_canary"}, "set both"),
        ({"STRIPE_SECRET_KEY": ""}, "STRIPE_WEBHOOK_SECRET is set and STRIPE_SECRET_KEY is not"),
        ({"STRIPE_WEBHOOK_SECRET": ""}, "would never be heard of"),
        ({"STRIPE_WEBHOOK_SECRET": "  "}, "would never be heard of"),
        ({"STRIPE_WEBHOOK_SECRET": f"{HOOK},"}, "an empty secret between its commas"),
        ({"STRIPE_WEBHOOK_SECRET": "whsec_"}, "is no signing secret"),
        ({"STRIPE_WEBHOOK_SECRET": f"{HOOK},canary"}, "is no signing secret"),
        ({"STRIPE_PUBLIC_KEY": "sk_test_canary"}, "is no publishable key"),
        ({"STRIPE_PUBLIC_KEY": "pk_live_canary"}, "of live mode and STRIPE_SECRET_KEY of test mode"),
        ({"STRIPE_API_BASE": "http://stripe.example.com"}, "STRIPE_API_BASE cannot be read"),
        ({"STRIPE_API_BASE": "https://canary@stripe.example.com"}, "STRIPE_API_BASE cannot be read"),
        ({"STRIPE_API_BASE": "https://[canary"}, "STRIPE_API_BASE cannot be read"),
        ({"STRIPE_API_BASE": "https://api.stripe.com/v1"}, "STRIPE_API_BASE cannot be read"),
        ({"STRIPE_TAX": "yes"}, "STRIPE_TAX is 'yes'"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_without_a_secret(
    tmp_path: Path, changes: dict[str, str], says: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, {**PAYING, **changes})
    [problem] = refused.value.problems
    assert says in problem
    assert "canary" not in problem


def test_in_production_our_key_goes_to_stripe_alone(tmp_path: Path) -> None:
    elsewhere = {**PRODUCTION, **PAYING, "STRIPE_API_BASE": "https://pay.example.com"}
    with pytest.raises(SettingsError, match="in production our key goes to Stripe alone"):
        read(tmp_path, elsewhere)
    assert read(tmp_path, {**elsewhere, "STRIPE_API_BASE": "https://api.stripe.com"}).payments


def test_a_key_that_opens_everything_is_said_to(tmp_path: Path) -> None:
    [notice] = [
        each for each in read(tmp_path, {**PAYING, "STRIPE_SECRET_KEY": "sk_test_canary"}).notices if "STRIPE" in each
    ]
    assert "a restricted key" in notice
    assert "canary" not in notice


def test_a_production_without_real_money_is_said_to_be_one(tmp_path: Path) -> None:
    notices = [each for each in read(tmp_path, {**PRODUCTION, **PAYING}).notices if "STRIPE" in each]
    assert notices == ["STRIPE_SECRET_KEY is of test mode: nothing that is paid here is real money."]
