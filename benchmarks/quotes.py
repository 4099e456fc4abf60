"""Quotes against charges: 10,000 mixed requests, each quoted, then executed under its quote, in one process.

The gateway runs whole, over its simulated providers; only its socket is left out. Forty accounts each have habits: a
few models and commands. Three kinds of requests are mixed:

* tasks as `monkey` sends them, about files of this repository, answered as the simulators answer anything: programs
  and prose of their own, whose length nobody sets;
* prompts of recorded exchanges, answered with as many tokens as the recorded model really wrote: an answer is as hard
  to foretell as it was in life, but for its wording;
* tasks whose first model fails, so that another of the quoted routes serves them.

Apart from that, real exchanges are foretold one after the other: what each really took is learnt after it was guessed.
"""

import asyncio
import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import real_exchanges
from benchmarks.errors import print_header, print_row
from monkey_coder_server.bootstrap.gateway import Gateway, open_gateway
from monkey_coder_server.domain.conversation import Text
from monkey_coder_server.domain.money import NANO_PER_USD
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.settings import load
from tools.exchanges import Exchange, exchanges

REQUESTS = 10_000
ACCOUNTS = 40
AT_ONCE = 32
SEED = 20_261_128
ROOT = Path(__file__).parents[1]
MODELS = (
    "auto",
    "auto:cheap",
    "auto:best",
    "openai/gpt-4.1-mini",
    "openai/gpt-5-mini",
    "openai/gpt-5.2",
    "anthropic/claude-sonnet-4-5",
    "anthropic/claude-haiku-4-5",
    "google/gemini-2.5-flash",
    "google/gemini-2.5-pro",
    "groq/llama-3.3-70b-versatile",
    "groq/openai/gpt-oss-120b",
    "xai/grok-4.3",
    "moonshot/kimi-k3",
    "perplexity/sonar",
)
COMMANDS = (
    ("code_generation", "add {thing} to this code"),
    ("code_generation", "create {thing}"),
    ("testing", "Write tests for the given code that fail when it breaks."),
    ("code_review", "Review the given code: say what is wrong or risky, most serious first."),
    ("code_analysis", "Analyze the security of the given code: what can be attacked, how, how bad."),
    ("documentation", "Explain what the given code does and what a newcomer should know."),
    ("debugging", "find out why {thing} fails now and then"),
)
THINGS = (
    "a REST API",
    "paging",
    "a retry with backoff",
    "an LRU cache",
    "a command line",
    "a rate limiter",
    "a CSV import",
    "a job queue",
    "metrics",
    "a SQL schema",
)
KINDS = ("as the simulators answer", "as long as recorded", "after a failover")
SHARES = (50, 40, 10)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to be made by an account; `recorded` names the exchange it repeats."""

    account: int
    kind: str
    body: Mapping[str, Any]
    recorded: int = -1


@dataclass(frozen=True, slots=True)
class Outcome:
    """One request: USD expected, at most, and charged; `first` when its account never asked the like before."""

    kind: str
    expected: Decimal
    maximum: Decimal
    charged: Decimal
    first: bool
    refused: str
    """Why it was not served; empty when it was."""

    @property
    def error(self) -> float:
        """How far the expected price was from the charge, relative to the charge."""
        return float(abs(self.expected - self.charged) / self.charged)


def main() -> None:
    """Run and print the tables."""
    with tempfile.TemporaryDirectory() as folder:
        outcomes = asyncio.run(_replay(Path(folder)))
    _print(outcomes)
    print()
    real_exchanges.main()


def asked(number: int) -> Iterator[Asked]:
    """So many requests, the same in every run."""
    dice = Random(SEED)
    sources = sorted((ROOT / "packages").rglob("src/**/*.py"))
    recorded = [each for each in exchanges() if _words(each) and each.usage.output]
    habits = [(dice.sample(MODELS, 3), dice.sample(COMMANDS, 3)) for _ in range(ACCOUNTS)]
    for _ in range(number):
        account = dice.randrange(ACCOUNTS)
        models, commands = habits[account]
        kind = dice.choices(KINDS, SHARES)[0]
        model = dice.choice(models)
        if kind == KINDS[1]:
            place = dice.randrange(len(recorded))
            yield Asked(account, kind, _repeated(recorded[place], model), place)
        else:
            task_type, words = dice.choice(commands)
            files = [_file(path) for path in dice.sample(sources, dice.choice((1, 1, 2, 4)))]
            body = {
                "task_type": task_type,
                "prompt": words.format(thing=dice.choice(THINGS)),
                "model": model if kind == KINDS[0] else "auto:cheap",
                "files": files,
            }
            yield Asked(account, kind, body)


def _repeated(exchange: Exchange, model: str) -> dict[str, Any]:
    said = max(1, exchange.usage.output - exchange.usage.reasoning)  # an empty answer is refused as malformed
    words = f"{_words(exchange)} [[sandbox output_tokens={said}]]"
    return {"task_type": "custom", "prompt": words, "model": model}


def _words(exchange: Exchange) -> str:
    """The text of a recorded request, whoever says it."""
    parts = (part.text for message in exchange.request.messages for part in message.parts if isinstance(part, Text))
    return _inert("\n\n".join(parts)[:40_000])


def _inert(text: str) -> str:
    """Text that simulators take for no directive: some of our sources are about directives."""
    return text.replace("[[", "[ [")


def _file(path: Path) -> dict[str, str]:
    content = _inert(path.read_text(encoding="utf-8"))
    return {"path": str(path.relative_to(ROOT)), "content": content, "type": "python"}


async def _replay(folder: Path) -> list[Outcome]:
    settings = load({"DATA_DIR": str(folder), "RATE_LIMIT_PER_MINUTE": "1000000", "LOOP_REPEATS": "0"}, folder=folder)
    async with open_gateway(settings, sandbox=True) as gateway:
        keys = [await _account(gateway, number) for number in range(ACCOUNTS)]
        waiting, outcomes, known = iter(asked(REQUESTS)), list[Outcome](), set[object]()

        async def work() -> None:
            for each in waiting:
                outcomes.append(await _quoted(gateway, keys[each.account], each, known))

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        report = await gateway.books.storage.ledger.verify()
        if not report.sound:
            raise RuntimeError("the books do not balance; the figures would mean nothing")
    return outcomes


async def _account(gateway: Gateway, number: int) -> str:
    made = await operator.create_user(
        gateway.books.accounts,
        email=f"bench{number}@example.com",
        password=None,
        credit=100_000 * NANO_PER_USD,
        plan=None,
    )
    return made.api_key


async def _quoted(gateway: Gateway, key: str, each: Asked, known: set[object]) -> Outcome:
    body = dict(each.body)
    if each.kind == KINDS[2]:
        first = await _post(gateway, key, "/v1/quote", body)
        body["prompt"] += f" [[sandbox provider={first['routes'][0]['provider']} fault=500]]"
    quote = await _post(gateway, key, "/v1/quote", body)
    answer = await _post(gateway, key, "/v1/execute", {**body, "quote_id": quote["quote_id"]})
    place = (each.account, body["task_type"], body["prompt"], body["model"])
    first_time = place not in known
    known.add(place)
    charged = Decimal(answer["result"]["metadata"]["cost_usd"]) if answer.get("result") else Decimal(0)
    expected, maximum = Decimal(quote["expected_usd"]), Decimal(quote["maximum_usd"])
    refused = "" if answer.get("result") else str(answer.get("message"))
    return Outcome(each.kind, expected, maximum, charged, first_time, refused)


async def _post(gateway: Gateway, key: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """One request to the gateway's application; the JSON it answers."""
    pieces: list[bytes] = []
    sent = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {key}".encode()), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }

    async def receive() -> dict[str, Any]:
        return sent.pop() if sent else await asyncio.Future()

    async def send(message: Mapping[str, Any]) -> None:
        pieces.append(message.get("body", b""))

    await gateway.application(scope, receive, send)
    found: dict[str, Any] = json.loads(b"".join(pieces))
    return found


def _print(outcomes: Sequence[Outcome]) -> None:
    served = [each for each in outcomes if not each.refused]
    over = sum(each.charged > each.maximum for each in outcomes)
    print(f"{len(outcomes):,} mixed requests, each quoted and executed under its quote; {len(served):,} served")
    print(f"charged more than the quoted maximum: {over}")
    for why, count in Counter(each.refused for each in outcomes if each.refused).most_common():
        print(f"refused {count}: {why}")
    print_header("error of the expected price")
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for each in served:
        groups["all"].append(each)
        groups[f"  {each.kind}"].append(each)
        groups["  asked for the first time" if each.first else "  the like asked before"].append(each)
    for name in sorted(groups, key=lambda name: (name != "all", name)):
        print_row(name, [each.error for each in groups[name]])
