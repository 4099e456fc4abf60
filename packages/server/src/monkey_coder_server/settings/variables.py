"""Every variable there is, as `--help-env` shows it."""

import textwrap
from dataclasses import dataclass

from monkey_coder_server.settings.data_policies import DATA_POLICY_VARIABLES
from monkey_coder_server.settings.payments import PAYMENT_VARIABLES
from monkey_coder_server.settings.rates import RATE_VARIABLES
from monkey_coder_server.settings.sign_in import SIGN_IN_VARIABLES
from monkey_coder_server.settings.webhooks import WEBHOOK_VARIABLES

PROVIDERS = ("openai", "anthropic", "google", "groq", "xai", "perplexity", "moonshot")
WITH_COST_API = ("openai", "anthropic")
"""Providers whose invoices can be asked for by API, with a key of its own."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One row of `--help-env`."""

    name: str
    default: str
    meaning: str


def _provider_variables() -> tuple[Variable, ...]:
    rows = []
    for provider in PROVIDERS:
        name = provider.upper()
        rows.append(
            Variable(f"{name}_API_KEY", "none", f"Our keys at {provider}, comma-separated; several are balanced.")
        )
        rows.append(
            Variable(f"{name}_BASE_URL", "the provider's own", f"Where {provider} is reached, as its SDK means it.")
        )
        if provider in WITH_COST_API:
            rows.append(
                Variable(f"{name}_ADMIN_KEY", "none", f"Opens {provider}'s cost API, for `admin reconcile --from-api`.")
            )
    return tuple(rows)


VARIABLES = (
    Variable(
        "ENV_FILE",
        "`.env` in development",
        "A file of NAME=value lines, read for what the environment does not set, and again at each SIGHUP.",
    ),
    Variable("ENVIRONMENT", "development", "`development` or `production`: production demands strong secrets."),
    Variable("HOST", "0.0.0.0", "The address to listen on."),  # noqa: S104 - a container is reached from outside
    Variable("PORT", "8000", "The port to listen on; 0 takes a free one."),
    Variable("METRICS_PORT", "9090", "The port of /metrics; 0 takes a free one."),
    Variable("BASE_URL", "from RAILWAY_PUBLIC_DOMAIN, else localhost", "Where users reach this gateway, for links."),
    Variable("RAILWAY_PUBLIC_DOMAIN", "none", "Set by Railway: the public host name. It also means one trusted proxy."),
    Variable("TRUSTED_PROXY_HOPS", "1 on Railway, else 0", "How many proxies in front append to X-Forwarded-For."),
    Variable(
        "CONNECTIONS_PER_ADDRESS",
        "512, 0 behind proxies",
        "How many connections one network address may hold at a time; 0 for any number.",
    ),
    Variable("CORS_ORIGINS", "none", "Browser origins that may call the API, comma-separated; no wildcard."),
    Variable("DATA_DIR", "/data if writable, else ./.monkey-data", "Where the database and generated secrets live."),
    Variable(
        "DATABASE_URL",
        "SQLite in DATA_DIR",
        "Where the books are kept: sqlite:///FILE for gateways on one machine and its own disk, "
        "postgresql://USER:PASSWORD@HOST/DATABASE for gateways on any number of machines.",
    ),
    Variable(
        "REDIS_URL",
        "none",
        "What several gateways share beside the books, limits and cached answers: redis://USER:PASSWORD@HOST:6379/0, "
        "rediss:// for TLS. Without it each process keeps its own.",
    ),
    Variable("LOG_LEVEL", "info", "`debug`, `info`, `warning` or `error`."),
    Variable("LOG_FORMAT", "text, json in production", "`text` or `json`."),
    Variable(
        "JWT_SECRET_KEY",
        "made and kept in development",
        "Signs access tokens: at least 32 random characters. Several, comma-separated: the first signs, tokens of the "
        "others are read until they expire.",
    ),
    Variable(
        "KEY_PEPPER",
        "made and kept in development",
        "Digests API keys: at least 32 random characters. Several, comma-separated: new keys are digested with the "
        "first, keys of the others go on working.",
    ),
    Variable(
        "MFA_ENABLED",
        "optional",
        "optional: people may have a second factor. required: who has none can log in only to add one. off: none is "
        "asked for. true and false mean optional and off.",
    ),
    Variable(
        "MAIL_URL",
        "the log in development, none in production",
        "How mail to people leaves: smtp://USER:PASSWORD@HOST:587 with STARTTLS, smtps://USER:PASSWORD@HOST:465, or "
        "https://KEY@HOST/PATH of a mail API of Resend's shape.",
    ),
    Variable("MAIL_FROM", "no-reply at BASE_URL's host", "Who mail is from, as Monkey Coder <no-reply@example.com>."),
    *[Variable(name, "none", meaning) for name, meaning in SIGN_IN_VARIABLES],
    *[Variable(*each) for each in (*PAYMENT_VARIABLES, *WEBHOOK_VARIABLES)],
    Variable("MARKUP_PERCENT", "15", "What is added to a provider's price, at most two decimals."),
    Variable(
        "PRICE_BOOK",
        "auto, in production activated",
        "`auto` charges by the installed price data, `activated` by what an operator activated last.",
    ),
    Variable("TRIAL_CREDIT_USD", "5, in production 0", "The credit a new account starts with."),
    Variable("RATE_LIMIT_PER_MINUTE", "600", "Task requests a minute of a key that names no rate of its own."),
    *[Variable(*each) for each in (*RATE_VARIABLES, *DATA_POLICY_VARIABLES)],
    Variable("LOOP_REPEATS", "20", "How often an agent may send one and the same request; 0 sets no limit."),
    Variable("LOOP_SECONDS", "60", "The time within which equal requests of an agent are counted."),
    Variable(
        "USAGE_RETENTION_MONTHS", "0", "Whole months single usage rows are kept, at least 2; 0 keeps them for ever."
    ),
    Variable(
        "DURABILITY",
        "strict",
        "strict: what is delivered is on disk before its first and its last byte leave, and survives power loss. "
        "relaxed: about a millisecond faster, survives the process but not the machine: its last moments may be "
        "delivered and unbilled. Either way a call is noted where the process's death cannot reach it before its "
        "provider hears of it.",
    ),
    Variable(
        "HEDGED_REQUESTS",
        "off",
        "on: a request that leaves the model open is asked of a second one when the first is later to answer than 95 % "
        "of its calls; what the slower one costs is the house's, a twentieth of calls and one in five seconds at most. "
        "off: only where a request asks for it, and pays.",
    ),
    Variable(
        "WORKERS", "1", "Processes that share PORT, 1 to 256; a SIGHUP replaces two or more without a cut stream."
    ),
    Variable("DRAIN_SECONDS", "30", "How long a shutdown, or a replaced worker, waits for requests in flight."),
    Variable(
        "DRAIN_NOTICE_SECONDS",
        "0",
        "How long a shutdown first goes on taking requests while /health/ready says 503, for balancers to look away.",
    ),
    Variable(
        "RESPONSE_CACHE",
        "opt-in",
        "Whose answers are kept and given again for nothing: opt-in: those of requests that ask for it; opt-out: also "
        "those of requests at temperature 0, for vectors and for verdicts, unless they refuse; off: nobody's.",
    ),
    Variable("RESPONSE_CACHE_SECONDS", "3600", "How long an answer is kept at most."),
    Variable(
        "RESPONSE_CACHE_MEGABYTES",
        "64",
        "How much all kept answers may take; those of one account a quarter of it, and one answer a quarter of a "
        "megabyte. With REDIS_URL that is of Redis' memory.",
    ),
    Variable(
        "PROMPT_CACHES",
        "auto",
        "What providers are told about keeping prompts where their callers say nothing: auto: what pays (marks for "
        "Anthropic, the name of a conversation for OpenAI and xAI); off: nothing.",
    ),
    Variable(
        "SEMANTIC_CACHE",
        "off",
        "opt-in: a request that says `x-monkey-cache: semantic` may also get the answer that is kept for the same in "
        "other words; needs `pip install monkey-coder-server[semantic]`. off: such a request is treated as `on`.",
    ),
    Variable(
        "SEMANTIC_CACHE_SIMILARITY",
        "0.91",
        "How alike two wordings must be at least (the cosine of their vectors), 0.6 to 1, beside all that must agree "
        "in them; `python -m benchmarks semantic` shows what each limit finds, rightly and wrongly.",
    ),
    Variable(
        "KEY_STALENESS_SECONDS",
        "900",
        "How long a gateway whose database does not answer takes keys as it knew them, 10 to 900. 10: a key revoked "
        "elsewhere is refused within ten seconds also by a host that is cut off. 900: requests within leases go on as "
        "long as leases last.",
    ),
    *_provider_variables(),
)


def help_text() -> str:
    """Every variable with its default and meaning."""
    lines = [
        "Environment variables. In development a file `.env` in the working folder is read too, else ENV_FILE.",
        "",
    ]
    for variable in VARIABLES:
        lines.append(f"  {variable.name}  (default: {variable.default})")
        lines.extend(textwrap.wrap(variable.meaning, 96, initial_indent=" " * 6, subsequent_indent=" " * 6))
    return "\n".join(lines)
