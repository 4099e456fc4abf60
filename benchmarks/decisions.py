"""How long the request path takes to decide, and to learn an outcome: its own planner, over taught beliefs.

Every prompt has 2,000 characters. Each model has outcomes of twelve accounts, measured latencies and seen lengths of
answers, as in a gateway that has worked for a while; of three nothing was measured yet. *Anew*: no earlier request was
enough like this one for its ranking to be shared, so every model is weighed. *Drawn*: the account reports outcomes, so
the probabilities of being best are reckoned besides and one model is drawn. *Before*: an equal request was ranked
within two seconds. Garbage is collected as the server does it.
"""

import gc
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random

from monkey_coder_server.bootstrap.listening import GARBAGE_THRESHOLDS
from monkey_coder_server.bootstrap.prices import CurrentPrices, installed
from monkey_coder_server.bootstrap.supplies import PROVIDERS
from monkey_coder_server.domain import personas
from monkey_coder_server.domain.bandit.choice import drawn
from monkey_coder_server.domain.bandit.shrinkage import Shrinkage
from monkey_coder_server.domain.catalog import Catalog, Kind
from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Text
from monkey_coder_server.domain.likeness import Lesson, Likeness, shape_of
from monkey_coder_server.domain.model_facts import UNKNOWN, facts_of
from monkey_coder_server.domain.price_list import PriceList
from monkey_coder_server.domain.prompt_tokens import prompt_size
from monkey_coder_server.features.inference.beliefs import Signal
from monkey_coder_server.features.inference.health import Health
from monkey_coder_server.features.inference.job import Job
from monkey_coder_server.features.inference.keyring import KeyRing
from monkey_coder_server.features.inference.learning import Learning
from monkey_coder_server.features.inference.outcomes import ServedBy
from monkey_coder_server.features.inference.plan import Wishes
from monkey_coder_server.features.inference.planning import Listing, Planner
from monkey_coder_server.features.inference.route import Candidate
from monkey_coder_server.features.inference.tariff import Tariff
from monkey_coder_server.web.principal import Principal

ARMS = 20
ROUNDS = 2_000
SEED = 20_261_129
CHARACTERS = 2_000
OUTCOMES, CALLS, LESSONS = 3_000, 300, 1_500
ACCOUNTS = tuple(Principal(account_id=f"acct_{number}", user_id="user_1") for number in range(12))
TASK = "code_generation"
MARKUP = 500
WORDS = (
    *("fix", "the", "parser", "so", "that", "def", "read(path,", "limit):", "returns", "path.text", "in", "python;"),
    *("keep", "its", "style,", "run", "tests", "twice", "with", "a", "list", "of", "items", "and", "explain", "why"),
)
LIMITS = (300.0, 500.0)
"""Microseconds that a decision over 20 models may take, at the median and at the 99th percentile."""
LEARNT_WITHIN = 50.0


class WallClock:
    """The time it is."""

    def now(self) -> datetime:
        """Of day."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic()


class World:
    """A planner over so many of the catalogue's models, and all that it learnt."""

    def __init__(self, most: int) -> None:
        self.clock, self.health, self._random = WallClock(), Health(), Random(SEED)
        self.learning, prices = Learning(self.clock), self._prices()
        priced = prices().book.rows
        offered = [(provider, card) for provider in PROVIDERS for card in provider.offers if card.kind is Kind.CHAT]
        offered = [each for each in offered if (each[1].provider, each[1].model) in priced]
        places = sorted(self._random.sample(range(len(offered)), min(most, len(offered))))
        self._offered = [offered[place] for place in places]
        self.cards = [card for _, card in self._offered]
        self.planner = Planner(
            Catalog(self.cards),
            self._listings,
            prices=prices,
            health=self.health,
            learning=self.learning,
            clock=self.clock,
        )
        self._teach()

    def job(self, number: int, max_tokens: int) -> Job:
        """A request for any model; those of different limits share no ranking."""
        words = " ".join(self._random.choices(WORDS, k=CHARACTERS))[:CHARACTERS]
        return Job(
            request_id=f"req_{number}",
            principal=ACCOUNTS[number % len(ACCOUNTS)],
            endpoint="/v1/execute",
            request=ModelRequest(messages=(Message(Role.USER, (Text(words),)),)),
            wishes=Wishes(model="auto", task_type=TASK, persona=personas.choose(None, task_type=TASK).persona),
            stream=False,
            seconds=60.0,
            at=self.clock.now(),
            started=0.0,
            render=lambda *_: b"",
            max_tokens=max_tokens,
        )

    def learn(self, number: int) -> None:
        """How a request turned out."""
        account, card = ACCOUNTS[number % len(ACCOUNTS)], self.cards[number % len(self.cards)]
        by = ServedBy(account.account_id, card.name, TASK, "implement", "python", "")
        self.learning.beliefs.report(f"told_{number}", by, Signal(float(number % 5 > 1), 1.0))

    def _prices(self) -> CurrentPrices:
        schedule = installed(PROVIDERS, self.clock.now())
        return CurrentPrices(lambda: schedule, self.clock)

    def _listings(self, prices: PriceList, _plan: str) -> Iterator[Listing]:
        keys = KeyRing(("key",))
        for provider, card in self._offered:
            row = prices.book.row(card.provider, card.model)
            tariff = Tariff(row, MARKUP, prices.book.id)
            candidate = Candidate(card, provider, provider.base_url, keys, tariff, card.name)
            yield Listing(card, keyed=True, candidate=candidate, facts=facts_of(card, row, MARKUP, UNKNOWN))

    def _teach(self) -> None:
        random, beliefs, now = self._random, self.learning.beliefs, self.clock.monotonic()
        for number in range(len(ACCOUNTS)):
            self.planner.plan(self.job(number, 1))
        for number in random.sample(range(10**6), OUTCOMES):
            self.learn(number)
        if (told := beliefs.unsettled()) is not None:
            beliefs.settle(Shrinkage.of(told, beliefs.stated))
        for _ in range(CALLS):
            name, took = random.choice(self.cards[3:]).name, random.uniform(500, 9_000)
            call = self.health.started(name, now - 10.0, stream=True)
            self.health.heard(name, call, took / 3, now)
            self.health.succeeded(name, first_byte_ms=took / 3, total_ms=took, now=now, output_tokens=500, stream=True)
        for number in range(LESSONS):
            job = self.job(number, 1)
            size = prompt_size(job.request)
            like = Likeness.of(job.principal.account_id, shape_of(TASK, job.request), None, job.request, size)
            model, answer = random.choice(self.cards[3:]).name, random.randrange(50, 4_000)
            self.learning.foresight.learn([Lesson(like, model, 500, 520, 0, 0, answer, 0)])


def main() -> None:
    """Run and print the table."""
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    try:
        _measure()
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _measure() -> None:
    print(f"Decisions of the request path, {ROUNDS:,} each; microseconds, and the share of what is allowed")
    print(f"{'':<34} {'p50':>8} {'p99':>8} {'of p50':>7} {'of p99':>7}")
    twenty = World(ARMS)
    anew = [twenty.job(number, 1_000 + number) for number in range(ROUNDS)]
    _print(f"{ARMS} models, ranked anew", lambda number: twenty.planner.plan(anew[number]), LIMITS)
    later = [twenty.job(number, 9_000 + number) for number in range(ROUNDS)]

    def draw(number: int) -> None:
        drawn(twenty.planner.plan(later[number]).decision.probabilities, number / ROUNDS)

    _print(f"{ARMS} models, ranked anew and drawn", draw, LIMITS)
    equal = [twenty.job(number, 100) for number in range(ROUNDS)]
    _print(f"{ARMS} models, ranked before", lambda number: twenty.planner.plan(equal[number]), LIMITS)
    _print("an outcome learnt", twenty.learn, (LEARNT_WITHIN, LEARNT_WITHIN))
    everything = World(10**6)
    wide = [everything.job(number, 1_000 + number) for number in range(ROUNDS)]
    _print(
        f"all {len(everything.cards)} models, ranked anew", lambda number: everything.planner.plan(wide[number]), None
    )


def _print(name: str, action: Callable[[int], object], limits: tuple[float, float] | None) -> None:
    times = []
    for number in range(ROUNDS):
        begun = time.perf_counter()
        action(number)
        times.append((time.perf_counter() - begun) * 1e6)
    times.sort()
    found = times[ROUNDS // 2], times[ROUNDS * 99 // 100]
    shares = "" if limits is None else " ".join(f"{us / most:>7.2f}" for us, most in zip(found, limits, strict=True))
    print(f"{name:<34} {found[0]:>8.1f} {found[1]:>8.1f} {shares}".rstrip())
