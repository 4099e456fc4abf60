"""How money comes in: `STRIPE_…`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from monkey_coder_server.settings.faults import Secret, SettingsError, wrong

OWN_API = "https://api.stripe.com"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_KEY = re.compile(r"(sk|rk|pk)_(live|test)_[A-Za-z0-9_]+", re.ASCII)
_WEBHOOK_SECRET = re.compile(r"whsec_[A-Za-z0-9+/=_-]{16,}", re.ASCII)
PAYMENT_VARIABLES = (
    (
        "STRIPE_SECRET_KEY",
        "none: credit is added by the operator",
        "Our key at Stripe: a restricted one, rk_…. In development it must be of test mode.",
    ),
    ("STRIPE_PUBLIC_KEY", "none", "The publishable key beside it, pk_…, of the same mode."),
    (
        "STRIPE_WEBHOOK_SECRET",
        "none",
        (
            "Proves that a webhook is Stripe's: whsec_…, as the endpoint's page there shows it. Several, "
            "comma-separated, while one is being replaced: each is accepted, the current one comes first."
        ),
    ),
    ("STRIPE_API_BASE", "Stripe's own", "Where Stripe is reached: another address is for its simulator only."),
    ("STRIPE_TAX", "off", "on: Stripe reckons tax and adds it to what is paid. off: prices are all there is to pay."),
)
"""Names, defaults and meanings."""


@dataclass(frozen=True, slots=True)
class PaymentSettings:
    """`live` is real money. `webhook_secrets` are at least one, the current one first. `api_base` has no `/v1`."""

    secret_key: Secret
    public_key: str
    webhook_secrets: tuple[Secret, ...]
    api_base: str
    live: bool
    tax: bool
    notices: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        where = "" if self.api_base == OWN_API else f" at {self.api_base}"
        return f"Stripe{where}, {'live' if self.live else 'test'} mode, tax {'on' if self.tax else 'off'}"


def read_payments(values: Mapping[str, str], *, production: bool) -> PaymentSettings | None:
    """The settings, None where no key is set. Raises `SettingsError` with all that is wrong, without a secret in it."""
    given = {name: values.get(name, "").strip() for name, *_ in PAYMENT_VARIABLES}
    secret, public = given["STRIPE_SECRET_KEY"], given["STRIPE_PUBLIC_KEY"]
    hooks = tuple(Secret(text) for each in given["STRIPE_WEBHOOK_SECRET"].split(",") if (text := each.strip()))
    problems = [
        *_secret_key(secret, production=production),
        *_public_key(public, secret),
        *_webhook_secrets(hooks, given["STRIPE_WEBHOOK_SECRET"], secret),
        *_api_base(given["STRIPE_API_BASE"], production=production),
        *_tax(given["STRIPE_TAX"].lower()),
    ]
    if problems:
        raise SettingsError(*problems)
    if not secret:
        return None
    return PaymentSettings(
        secret_key=Secret(secret),
        public_key=public,
        webhook_secrets=hooks,
        api_base=given["STRIPE_API_BASE"].rstrip("/") or OWN_API,
        live=_mode(secret) == "live",
        tax=given["STRIPE_TAX"].lower() == "on",
        notices=tuple(_notices(secret, production=production)),
    )


def _mode(key: str) -> Literal["live", "test"] | None:
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    return "live" if found[2] == "live" else "test"


def _secret_key(secret: str, *, production: bool) -> Iterator[str]:
    if not secret:
        return
    if secret.startswith("pk_"):
        yield "STRIPE_SECRET_KEY holds a publishable key (pk_…), which may not charge; set the restricted key, rk_…."
    elif secret.startswith("whsec_"):
        yield "STRIPE_SECRET_KEY holds a webhook secret (whsec_…); set the restricted key, rk_…."
    elif _mode(secret) is None:
        yield "STRIPE_SECRET_KEY is no key of Stripe: those begin with rk_live_, rk_test_, sk_live_ or sk_test_."
    elif _mode(secret) == "live" and not production:
        yield (
            "STRIPE_SECRET_KEY is of live mode, which moves real money; outside production set one of test mode, "
            "or set ENVIRONMENT=production."
        )


def _public_key(public: str, secret: str) -> Iterator[str]:
    if not public:
        return
    if not public.startswith("pk_") or _mode(public) is None:
        yield "STRIPE_PUBLIC_KEY is no publishable key of Stripe: those begin with pk_live_ or pk_test_."
    elif not secret:
        yield "STRIPE_PUBLIC_KEY is set and STRIPE_SECRET_KEY is not; set both of them, or none."
    elif _mode(secret) is not None and _mode(secret) != _mode(public):
        yield (
            f"STRIPE_PUBLIC_KEY is of {_mode(public)} mode and STRIPE_SECRET_KEY of {_mode(secret)} mode; "
            "both must be of one mode."
        )


def _webhook_secrets(hooks: tuple[Secret, ...], text: str, secret: str) -> Iterator[str]:
    if secret and not hooks:
        yield (
            "STRIPE_SECRET_KEY is set and STRIPE_WEBHOOK_SECRET is not: what is paid would never be heard of; set the "
            "signing secret of the endpoint /v1/billing/webhook, as Stripe shows it."
        )
    elif any(not each.strip() for each in text.split(",")) and text:
        yield "STRIPE_WEBHOOK_SECRET holds an empty secret between its commas; with one, anybody could sign."
    if any(not _WEBHOOK_SECRET.fullmatch(each.reveal()) for each in hooks):
        yield "STRIPE_WEBHOOK_SECRET is no signing secret of Stripe: those begin with whsec_ and have 16 more letters."
    if hooks and not secret:
        yield "STRIPE_WEBHOOK_SECRET is set and STRIPE_SECRET_KEY is not; set both of them, or none."


def _api_base(base: str, *, production: bool) -> Iterator[str]:
    if not base:
        return
    try:
        parts = urlsplit(base)
        host = parts.hostname
    except ValueError:
        host = None
    safe = host is not None and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))
    if not safe or parts.username or parts.query or parts.fragment or parts.path not in {"", "/"}:
        yield "STRIPE_API_BASE cannot be read; it must be an address like https://api.stripe.com, without a path."
    elif production and base.rstrip("/") != OWN_API:
        yield f"STRIPE_API_BASE is {base!r}; in production our key goes to Stripe alone: unset it."


def _tax(word: str) -> Iterator[str]:
    if word not in {"", "on", "off"}:
        yield str(wrong("STRIPE_TAX", word, "one of off, on"))


def _notices(secret: str, *, production: bool) -> Iterator[str]:
    if secret.startswith("sk_"):
        yield (
            "STRIPE_SECRET_KEY opens everything at Stripe; a restricted key, rk_…, with the permissions that "
            "docs/how-to/stripe.md lists is enough."
        )
    if production and _mode(secret) == "test":
        yield "STRIPE_SECRET_KEY is of test mode: nothing that is paid here is real money."
