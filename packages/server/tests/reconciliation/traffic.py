"""Made-up books and the invoice that says the same of them."""

from collections import defaultdict
from random import Random

from monkey_coder_server.domain.invoices import Booked, Invoice, Invoiced, Tokens

MODELS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
DAYS = tuple(f"2026-11-{day:02}" for day in range(2, 8))
RATES = {name: (40 + 13 * at, 5 + at, 60 + 11 * at, 200 + 31 * at) for at, name in enumerate(MODELS)}
"""Nano-dollars a token: uncached, read from a cache, written to it, output."""


def canonical(name: str) -> str | None:
    plain = name.removesuffix("-2026-01-31")
    return plain if plain in MODELS else None


def cost(model: str, tokens: Tokens) -> int:
    plain, read, write, output = RATES[model]
    written = tokens.cache_write_5m + tokens.cache_write_1h
    return tokens.uncached_input * plain + tokens.cache_read * read + written * write + tokens.output * output


def books(random: Random, size: int) -> list[Booked]:
    """Requests of several models over several days, each of which the provider named."""
    rows = []
    for number in range(size):
        model = MODELS[number % len(MODELS)]
        output = random.randint(50, 4_000)
        tokens = Tokens(
            uncached_input=random.randint(100, 9_000),
            cache_read=random.choice((0, random.randint(1, 20_000))),
            cache_write_5m=random.choice((0, random.randint(1, 900))),
            output=output,
            reasoning=random.choice((0, random.randint(1, output - 1))),
        )
        rows.append(
            Booked(
                f"settle:req_{number}",
                0,
                f"req_{number}",
                random.choice(DAYS),
                model,
                tokens,
                cost(model, tokens),
                provider_request_id=f"up_{number}",
            )
        )
    return rows


def by_request(rows: list[Booked], random: Random) -> Invoice:
    """A line for each, in another order, under dated names."""
    lines = [
        Invoiced(
            row.day,
            f"{row.model}-2026-01-31",
            {
                "input": row.tokens.of("input"),
                "cache_read": row.tokens.cache_read,
                "output": row.tokens.output,
                "reasoning": row.tokens.reasoning,
            },
            row.amount + random.randint(-1, 1),
            provider_request_id=row.provider_request_id,
            name=f"line {number}",
        )
        for number, row in enumerate(rows)
    ]
    random.shuffle(lines)
    return Invoice(tuple(lines), by_request=True)


def by_day(rows: list[Booked]) -> Invoice:
    """Sums by day and model: a line for each kind of token with its money."""
    sums: defaultdict[tuple[str, str], Tokens] = defaultdict(Tokens)
    for row in rows:
        sums[row.day, row.model] = sums[row.day, row.model].plus(row.tokens)
    lines = []
    for (day, model), tokens in sums.items():
        plain, read, write, output = RATES[model]
        for kind, rate in (
            ("uncached_input", plain),
            ("cache_read", read),
            ("cache_write_5m", write),
            ("output", output),
        ):
            count = tokens.of(kind)
            lines.append(Invoiced(day, model, {kind: count}, count * rate, name=f"{day} {model} {kind}"))
    return Invoice(tuple(lines))
