"""The only reader of the environment: variables in, one frozen record out."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from monkey_coder_server.settings.data_policies import read_data_policies
from monkey_coder_server.settings.dotenv import with_file
from monkey_coder_server.settings.faults import AwayError, Secret, SettingsError, without_password, wrong
from monkey_coder_server.settings.mail import MailSettings, read_mail
from monkey_coder_server.settings.payments import PaymentSettings, read_payments
from monkey_coder_server.settings.rates import MOST_OF_A_RATE, RATE_VARIABLES, RateSettings, rate_settings
from monkey_coder_server.settings.sign_in import SignInSettings, read_sign_in
from monkey_coder_server.settings.strength import HOW_TO_MAKE, SHORTEST_SECRET, kept_secret, weakness
from monkey_coder_server.settings.variables import PROVIDERS, VARIABLES, WITH_COST_API, help_text
from monkey_coder_server.settings.webhooks import read_webhook_hosts

__all__ = [
    "CONFIGURATION_ERROR",
    "VARIABLES",
    "AwayError",
    "MailSettings",
    "PaymentSettings",
    "ProviderSettings",
    "RateSettings",
    "Secret",
    "Settings",
    "SettingsError",
    "SignInSettings",
    "gathered",
    "help_text",
    "load",
    "read",
    "without_password",
]
CONFIGURATION_ERROR = SettingsError.exit_code
"""Exit code for broken configuration."""
_AMOUNT = re.compile(r"[0-9]{1,6}(\.[0-9]{1,9})?", re.ASCII)
_SIMILARITY = re.compile(r"0\.[6-9][0-9]{0,3}|1(\.0{1,4})?", re.ASCII)
_PERCENT = re.compile(r"[0-9]{1,4}(\.[0-9]{1,2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """`base_url` None means the provider's own; `admin_key` opens its cost API."""

    keys: tuple[Secret, ...]
    base_url: str | None
    admin_key: Secret | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the gateway is told from outside. Amounts and percentages are validated decimal text.

    Keys are made with `key_pepper`; those made with `old_peppers` still work.
    """

    production: bool
    host: str
    port: int
    metrics_port: int
    base_url: str
    trusted_proxy_hops: int
    connections_per_address: int
    cors_origins: frozenset[str]
    data_dir: Path
    database_url: Secret
    redis_url: Secret | None
    log_level: str
    log_format: Literal["text", "json"]
    jwt_secret_key: Secret
    old_jwt_secrets: tuple[Secret, ...]
    key_pepper: Secret
    old_peppers: tuple[Secret, ...]
    second_factors: str
    mail: MailSettings
    sign_in: tuple[SignInSettings, ...]
    payments: PaymentSettings | None
    webhook_hosts: frozenset[str]
    markup_percent: str
    price_book: str
    trial_credit_usd: str
    rate_limit_per_minute: int
    rates: RateSettings
    data_policies: Mapping[str, frozenset[str]]
    loop_repeats: int
    loop_seconds: int
    usage_retention_months: int
    hedged_requests: bool
    workers: int
    response_cache: Literal["off", "opt-in", "opt-out"]
    response_cache_seconds: int
    response_cache_megabytes: int
    prompt_caches: bool
    semantic_cache: Literal["off", "opt-in"]
    semantic_cache_similarity: str
    drain_seconds: int
    drain_notice_seconds: int
    key_staleness_seconds: int
    durability: Literal["strict", "relaxed"]
    providers: Mapping[str, ProviderSettings]
    notices: tuple[str, ...] = ()
    """Sentences the operator should read at start."""


def load(
    environment: Mapping[str, str] | None = None,
    *,
    folder: Path | None = None,
    flags: Mapping[str, str] | None = None,
) -> Settings:
    """Read the settings: `flags` over the environment over a file. Raises `SettingsError` with all that is wrong.

    The file is the one `ENV_FILE` names, else in development `.env` of the working folder.
    """
    return read(gathered(environment, folder=folder, flags=flags), folder=folder)


def gathered(
    environment: Mapping[str, str] | None = None,
    *,
    folder: Path | None = None,
    flags: Mapping[str, str] | None = None,
) -> Mapping[str, str]:
    """Every variable from wherever it is set, as `load` reads them. Raises `SettingsError` for a file that is none."""
    given = dict(os.environ if environment is None else environment)
    return with_file({**given, **(flags or {})}, folder or Path.cwd())


def read(values: Mapping[str, str] | None = None, *, folder: Path | None = None) -> Settings:
    """The settings that gathered variables, or the environment alone, amount to. Raises `SettingsError` as `load`."""
    return _Reader(os.environ if values is None else values, folder or Path.cwd()).settings()


class _Reader:
    def __init__(self, values: Mapping[str, str], folder: Path) -> None:
        self._values = values
        self._folder = folder
        self._notices: list[str] = []
        self._problems: list[str] = []
        self._production = self._choice("ENVIRONMENT", "development", ("development", "production")) == "production"

    def settings(self) -> Settings:
        """What was read. Raises `SettingsError` with all that was found wrong on the way."""
        settings = self._read()
        if self._problems:
            raise SettingsError(*self._problems)
        return settings

    def _wrong(self, name: str, value: str, allowed: str) -> None:
        self._problems.append(str(wrong(name, value, allowed)))

    def _read(self) -> Settings:
        port = self._whole("PORT", 8000, 0, 65535)
        domain = self._text("RAILWAY_PUBLIC_DOMAIN", "")
        base_url = self._url("BASE_URL", f"https://{domain}" if domain else f"http://localhost:{port}")
        data_dir = self._data_dir()
        style = self._choice("LOG_FORMAT", "json" if self._production else "text", ("text", "json"))
        hops = self._whole("TRUSTED_PROXY_HOPS", 1 if domain else 0, 0, 10)
        signing = self._secrets("JWT_SECRET_KEY", data_dir)
        peppers = self._secrets("KEY_PEPPER", data_dir)
        if self._production and any(each in peppers for each in signing if each.reveal()):
            self._problems.append(f"JWT_SECRET_KEY and KEY_PEPPER are the same; make two with: {HOW_TO_MAKE}")
        return Settings(
            production=self._production,
            host=self._text("HOST", "0.0.0.0"),  # noqa: S104 - a container is reached from outside
            port=port,
            metrics_port=self._whole("METRICS_PORT", 9090, 0, 65535),
            base_url=base_url,
            trusted_proxy_hops=hops,
            connections_per_address=self._whole("CONNECTIONS_PER_ADDRESS", 0 if hops else 512, 0, 1_000_000),
            cors_origins=self._origins(domain),
            data_dir=data_dir,
            database_url=self._database(data_dir),
            redis_url=self._redis(),
            log_level=self._choice("LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
            log_format="json" if style == "json" else "text",
            jwt_secret_key=signing[0],
            old_jwt_secrets=signing[1:],
            key_pepper=peppers[0],
            old_peppers=peppers[1:],
            second_factors=self._second_factors(),
            mail=self._mail(base_url),
            sign_in=self._sign_in(),
            payments=self._payments(),
            webhook_hosts=self._webhook_hosts(),
            price_book=self._choice("PRICE_BOOK", "activated" if self._production else "auto", ("auto", "activated")),
            markup_percent=self._decimal("MARKUP_PERCENT", "15", _PERCENT, "a percentage from 0 to 9999 like 12.5"),
            trial_credit_usd=self._decimal(
                "TRIAL_CREDIT_USD", "0" if self._production else "5", _AMOUNT, "an amount in USD like 5 or 2.50"
            ),
            rate_limit_per_minute=self._whole("RATE_LIMIT_PER_MINUTE", 600, 1, 100_000_000),
            rates=rate_settings({name: self._whole(name, 0, 0, MOST_OF_A_RATE) for name, *_ in RATE_VARIABLES}),
            data_policies=self._data_policies(),
            loop_repeats=self._whole("LOOP_REPEATS", 20, 0, 1_000_000),
            loop_seconds=self._whole("LOOP_SECONDS", 60, 1, 3_600),
            usage_retention_months=self._retention(),
            hedged_requests=self._choice("HEDGED_REQUESTS", "off", ("on", "off")) == "on",
            response_cache=self._response_cache(),
            response_cache_seconds=self._whole("RESPONSE_CACHE_SECONDS", 3_600, 1, 2_592_000),
            response_cache_megabytes=self._whole("RESPONSE_CACHE_MEGABYTES", 64, 1, 1_000_000),
            prompt_caches=self._choice("PROMPT_CACHES", "auto", ("auto", "off")) == "auto",
            semantic_cache=self._semantic_cache(),
            semantic_cache_similarity=self._similarity(),
            durability=self._durability(),
            workers=self._whole("WORKERS", 1, 1, 256),
            drain_seconds=self._whole("DRAIN_SECONDS", 30, 0, 3600),
            drain_notice_seconds=self._whole("DRAIN_NOTICE_SECONDS", 0, 0, 300),
            key_staleness_seconds=self._whole("KEY_STALENESS_SECONDS", 900, 10, 900),
            providers={provider: self._provider(provider) for provider in PROVIDERS},
            notices=tuple(self._notices),
        )

    def _text(self, name: str, default: str) -> str:
        return self._values.get(name, "").strip() or default

    def _choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self._text(name, default).lower()
        if value not in allowed:
            self._wrong(name, value, f"one of {', '.join(allowed)}")
            return default
        return value

    def _whole(self, name: str, default: int, least: int, most: int) -> int:
        value = self._text(name, str(default))
        if not (value.isascii() and value.isdigit() and len(value) <= 9 and least <= int(value) <= most):
            self._wrong(name, value, f"a whole number from {least} to {most}")
            return default
        return int(value)

    def _second_factors(self) -> str:
        value = self._choice("MFA_ENABLED", "optional", ("off", "optional", "required", "true", "false"))
        return {"true": "optional", "false": "off"}.get(value, value)

    def _response_cache(self) -> Literal["off", "opt-in", "opt-out"]:
        given = self._choice("RESPONSE_CACHE", "opt-in", ("off", "opt-in", "opt-out"))
        return "opt-in" if given == "opt-in" else "opt-out" if given == "opt-out" else "off"

    def _semantic_cache(self) -> Literal["off", "opt-in"]:
        return "opt-in" if self._choice("SEMANTIC_CACHE", "off", ("off", "opt-in")) == "opt-in" else "off"

    def _similarity(self) -> str:
        return self._decimal("SEMANTIC_CACHE_SIMILARITY", "0.91", _SIMILARITY, "a number from 0.6 to 1")

    def _durability(self) -> Literal["strict", "relaxed"]:
        return "relaxed" if self._choice("DURABILITY", "strict", ("strict", "relaxed")) == "relaxed" else "strict"

    def _retention(self) -> int:
        months = self._whole("USAGE_RETENTION_MONTHS", 0, 0, 1_200)
        if months == 1:
            self._wrong("USAGE_RETENTION_MONTHS", "1", "0, or 2 and more: invoices of a month come in the next one")
        return months

    def _decimal(self, name: str, default: str, pattern: re.Pattern[str], allowed: str) -> str:
        value = self._text(name, default)
        if not pattern.fullmatch(value):
            self._wrong(name, value, allowed)
        return value

    def _url(self, name: str, default: str) -> str:
        value = self._text(name, default)
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            self._wrong(name, value, "an address like https://example.com")
        return value.rstrip("/")

    def _origins(self, domain: str) -> frozenset[str]:
        listed = [origin.strip() for origin in self._text("CORS_ORIGINS", "").split(",") if origin.strip()]
        for origin in listed:
            parts = urlsplit(origin)
            if parts.scheme not in {"http", "https"} or f"{parts.scheme}://{parts.netloc}" != origin or "*" in origin:
                self._wrong("CORS_ORIGINS", origin, "exact origins like https://app.example.com, without a path or *")
        return frozenset([*listed, f"https://{domain}"] if domain else listed)

    def _provider(self, provider: str) -> ProviderSettings:
        name = provider.upper()
        keys = tuple(Secret(key.strip()) for key in self._text(f"{name}_API_KEY", "").split(",") if key.strip())
        where = f"{name}_BASE_URL"
        admin = self._text(f"{name}_ADMIN_KEY", "") if provider in WITH_COST_API else ""
        base_url = self._url(where, "") if self._text(where, "") else None
        return ProviderSettings(keys, base_url, Secret(admin) if admin else None)

    def _mail(self, base_url: str) -> MailSettings:
        url, sender = Secret(self._text("MAIL_URL", "")), self._text("MAIL_FROM", "")
        try:
            mail = read_mail(url, sender, production=self._production, base_url=base_url)
        except SettingsError as refused:
            self._problems += refused.problems
            return MailSettings("off", sender)
        if mail.way == "off":
            self._notices.append(
                "MAIL_URL is not set: no mail is sent, so nobody can confirm an address or reset a forgotten password."
            )
        return mail

    def _sign_in(self) -> tuple[SignInSettings, ...]:
        try:
            return read_sign_in(self._values)
        except SettingsError as refused:
            self._problems += refused.problems
            return ()

    def _payments(self) -> PaymentSettings | None:
        try:
            payments = read_payments(self._values, production=self._production)
        except SettingsError as refused:
            self._problems += refused.problems
            return None
        if payments is not None:
            self._notices += payments.notices
        return payments

    def _webhook_hosts(self) -> frozenset[str]:
        try:
            return read_webhook_hosts(self._text("WEBHOOK_HOSTS", ""))
        except SettingsError as refused:
            self._problems += refused.problems
            return frozenset()

    def _data_policies(self) -> Mapping[str, frozenset[str]]:
        try:
            return read_data_policies(self._text("PROVIDER_DATA_POLICIES", ""), PROVIDERS)
        except SettingsError as refused:
            self._problems += refused.problems
            return {}

    def _data_dir(self) -> Path:
        chosen = self._text("DATA_DIR", "")
        volume = Path("/data")
        if not chosen and volume.is_dir() and os.access(volume, os.W_OK):
            chosen = str(volume)
        path = self._folder / (chosen or ".monkey-data")
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as refused:
            self._wrong("DATA_DIR", str(path), f"a folder that can be made and written ({refused.strerror})")
            return path
        if not os.access(path, os.W_OK):
            self._wrong("DATA_DIR", str(path), "a folder this process may write to")
        return path

    def _secrets(self, name: str, data_dir: Path) -> tuple[Secret, ...]:
        """The secrets of a variable, at least one; in development one is made and kept where none is given."""
        text = self._values.get(name, "").strip()
        given = [value for each in text.split(",") if (value := each.strip())]
        for value in given:
            weak = weakness(value)
            if weak and (self._production or len(value) < SHORTEST_SECRET):
                self._problems.append(f"{name} is too weak: {weak}. Make a strong one with: {HOW_TO_MAKE}")
        if given:
            return tuple([Secret(value) for value in given])
        if self._production:
            self._problems.append(f"{name} is not set; production needs a strong one. Make it with: {HOW_TO_MAKE}")
        if self._production or not os.access(data_dir, os.W_OK):
            return (Secret(""),)
        made, new = kept_secret(data_dir / f"{name.lower()}.secret")
        if new:
            self._notices.append(f"{name} is not set: made one for development and kept it in {data_dir}.")
        return (Secret(made),)

    def _database(self, data_dir: Path) -> Secret:
        value = self._text("DATABASE_URL", f"sqlite:///{data_dir / 'monkey-coder.db'}")
        if not value.startswith(("sqlite:///", "postgresql://", "postgres://")):
            self._problems.append(
                f"DATABASE_URL is a {value.partition(':')[0]} address, but the books are kept in SQLite or PostgreSQL; "
                "unset DATABASE_URL, or write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE."
            )
        return Secret(value)

    def _redis(self) -> Secret | None:
        value = self._text("REDIS_URL", "")
        if not value:
            return None
        try:
            parts = urlsplit(value)
            sound = parts.scheme in {"redis", "rediss"} and bool(parts.hostname) and not parts.query and parts.port != 0
        except ValueError:
            sound = False
        if not sound or not (parts.path.strip("/") or "0").isdigit():
            self._problems.append(
                "REDIS_URL cannot be read; it must be redis://USER:PASSWORD@HOST:6379/0, or rediss:// for TLS."
            )
        return Secret(value)
