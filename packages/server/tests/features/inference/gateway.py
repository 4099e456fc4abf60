"""The inference feature over the small world, asked as the application asks it."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from monkey_coder_server.adapters.cache.memory import MemoryCache
from monkey_coder_server.dialects.anthropic_messages import AnthropicMessages
from monkey_coder_server.dialects.gemini import Gemini, GeminiEmbeddings
from monkey_coder_server.dialects.openai_chat import OpenAIChat, Quirks
from monkey_coder_server.dialects.openai_embeddings import OpenAIEmbeddings
from monkey_coder_server.dialects.openai_moderations import OpenAIModerations
from monkey_coder_server.domain.catalog import Capability, Catalog, Kind, ModelCard
from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.domain.markup import MarkupTable
from monkey_coder_server.domain.model_rules import ModelRule
from monkey_coder_server.domain.price_list import PriceList
from monkey_coder_server.domain.pricing import PriceBook, PriceRow, Rates
from monkey_coder_server.domain.usage import USAGE_RULES
from monkey_coder_server.features import inference
from monkey_coder_server.features.inference.attempt import AttemptSettings
from monkey_coder_server.features.inference.health import Health, HealthSettings
from monkey_coder_server.features.inference.loops import LoopSettings
from monkey_coder_server.features.inference.patience import Patience
from monkey_coder_server.features.inference.pipeline import PipelineSettings
from monkey_coder_server.ports.accounts import KeyRecord
from monkey_coder_server.ports.cache import CacheBounds
from monkey_coder_server.ports.embedding import Embedding
from monkey_coder_server.ports.provider import CancelPolicy, Continuity, Dialect, Provider
from monkey_coder_server.web.asgi import Message
from monkey_coder_server.web.principal import Principal
from monkey_coder_server.web.problem import NativeProblems
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.routing import RouteTable
from packages.server.tests.features.inference.diary import Diary
from packages.server.tests.features.inference.gate import Gate, limits_of
from packages.server.tests.features.inference.world import (
    ACCOUNT,
    Books,
    Kept,
    LoopClock,
    Notebook,
    Notes,
    Shelf,
    Sums,
    Wire,
    counting_ids,
)

FACTS = frozenset({Capability.TOOLS, Capability.STREAMING, Capability.PROMPT_CACHE})
DIALECTS: Mapping[str, Dialect] = {
    "openai": OpenAIChat(Quirks("openai")),
    "anthropic": AnthropicMessages("anthropic"),
    "google": Gemini("google"),
}
CONTINUITY = {"openai": Continuity.SESSION, "anthropic": Continuity.MARKS}
PRICES = {
    "openai/gpt-big": (10_000_000_000, 30_000_000_000),
    "openai/gpt-small": (1_000_000_000, 4_000_000_000),
    "anthropic/claude-big": (3_000_000_000, 15_000_000_000),
    "google/gemini-big": (2_000_000_000, 12_000_000_000),
}
MARKUP = 500
QUICK = HealthSettings(open_after=3, open_seconds=0.2)
ROOM = CacheBounds(entry=1 << 20, tenant=1 << 22, total=1 << 24)
EMBEDDING_PRICES = {"openai/embed-small": 20_000_000, "google/embed-gem": 150_000_000}
JUDGE = "openai/judge"
FURTHER: Mapping[str, tuple[Dialect, ...]] = {
    "openai": (OpenAIEmbeddings("openai"), OpenAIModerations("openai")),
    "google": (GeminiEmbeddings("google"),),
}


def card(name: str, tier: int = 1) -> ModelCard:
    provider, _, model = name.partition("/")
    return ModelCard(provider, model, model, 200_000, 32_000, FACTS, tier)


CARDS = {name: card(name, 3 if "small" in name else 1) for name in [*PRICES, "openai/gpt-unpriced"]}


def other(name: str, kind: Kind) -> ModelCard:
    provider, _, model = name.partition("/")
    return ModelCard(provider, model, model, 8_192, 0, frozenset(), 1, kind=kind, inputs=8)


EMBEDDING_CARDS = [other(name, Kind.EMBEDDINGS) for name in [*EMBEDDING_PRICES, "openai/embed-unpriced"]]
OTHER_CARDS = [*EMBEDDING_CARDS, other(JUDGE, Kind.MODERATION)]


def provider(name: str, policy: CancelPolicy, also: tuple[Dialect, ...] = ()) -> Provider:
    cards = tuple(each for each in CARDS.values() if each.provider == name)
    return Provider(
        name=name,
        label=name.title(),
        dialect=DIALECTS[name],
        base_url=f"https://{name}.example",
        key_variable="",
        base_url_variable="",
        prices_id=name,
        usage_rule=USAGE_RULES[name],
        cards=cards,
        cancel_policy=policy,
        continuity=CONTINUITY.get(name, Continuity.NONE),
        other_cards=tuple(each for each in OTHER_CARDS if each.provider == name),
        further_dialects=(*FURTHER.get(name, ()), *also),
        spoken_to_in={each.model: FURTHER[name][0].name for each in EMBEDDING_CARDS if each.provider == name},
    )


def rows() -> Iterator[PriceRow]:
    for name, (prompt, output) in PRICES.items():
        maker, _, model = name.partition("/")
        yield PriceRow(provider=maker, model=model, rates=Rates.of(input=prompt, output=output))
    for name, rate in EMBEDDING_PRICES.items():
        maker, _, model = name.partition("/")
        yield PriceRow(provider=maker, model=model, rates=Rates.of(input=rate, output=0), input_only=True)
    yield PriceRow(provider="openai", model="judge", rates=Rates.of(input=0, output=0), free=True, source="its vendor")


@dataclass
class Answer:
    """What the caller got. `frames` are the events of a stream."""

    status: int
    headers: dict[str, str]
    body: bytes
    complete: bool

    @property
    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    @property
    def frames(self) -> list[dict[str, Any]]:
        lines = [line for line in self.body.decode("ascii").split("\n\n") if line and not line.startswith(":")]
        assert all(line.startswith("data: ") and "\n" not in line for line in lines)
        return [json.loads(line.removeprefix("data: ")) for line in lines]

    @property
    def text(self) -> str:
        return "".join(frame["data"] for frame in self.frames if frame["type"] == "delta")


@dataclass
class Caller:
    """One connection. `hang_up_after` body messages the client is gone. `free`: it keeps up."""

    hang_up_after: int | None = None
    free: bool = True
    got: list[Message] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self._got(message)
        await asyncio.sleep(0)

    def write(self, body: bytes) -> None:
        self._got({"type": "http.response.body", "body": body, "more_body": True})

    def _got(self, message: Message) -> None:
        self.got.append(message)
        bodies = [one for one in self.got if one["type"] == "http.response.body"]
        if self.hang_up_after is not None and len(bodies) >= self.hang_up_after:
            self.gone.set()

    def answer(self) -> Answer:
        start = next(message for message in self.got if message["type"] == "http.response.start")
        bodies = [message for message in self.got if message["type"] == "http.response.body"]
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        body = b"".join(message.get("body", b"") for message in bodies)
        complete = bool(bodies) and not bodies[-1].get("more_body", False)
        return Answer(start["status"], headers, body, complete)


class Sending:
    """What a server gives an application to answer with: `straight` is the caller's own."""

    def __init__(self, caller: Caller) -> None:
        self.straight = caller

    async def __call__(self, message: Message) -> None:
        await self.straight.send(message)


KEY = KeyRecord("key_1", ACCOUNT, "user_1", "test", "mk-test", b"", frozenset({"*"}), datetime(2026, 1, 1, tzinfo=UTC))


def options_of(
    keep_alive: float,
    attempt: AttemptSettings | None,
    pipeline: PipelineSettings | None,
    loops: LoopSettings | None,
    caching: inference.CacheSettings | None,
    *,
    hedged: bool,
    prompts: bool,
) -> inference.Options:
    return inference.Options(
        keep_alive=keep_alive,
        shutdown=0.2,
        lessons=0.01,
        attempt=attempt or AttemptSettings(pause=0.001, longest_pause=0.2),
        pipeline=pipeline or PipelineSettings(drain=0.3, stall=0.3),
        patience=Patience(call=0.5, pauses=(0.001, 0.001), rest=0.01),
        loops=loops or LoopSettings(),
        hedged=hedged,
        cache=caching or inference.CacheSettings(),
        prompt_caches=inference.PromptCacheSettings(on=prompts),
    )


def access_of(providers: Mapping[str, Provider], keys: Mapping[str, tuple[str, ...]]) -> list[inference.Access]:
    return [inference.Access(each, each.base_url, keys.get(name, ())) for name, each in providers.items()]


def catalog_of(capabilities: frozenset[Capability]) -> Catalog:
    return Catalog([*(replace(each, capabilities=capabilities) for each in CARDS.values()), *OTHER_CARDS])


class Gateway:
    """Everything of the feature; `ask` is one request."""

    _priced: PriceList | None = None
    prompts = True
    """Whether providers are told about keeping prompts."""

    def __init__(
        self,
        *,
        balance: int = 5_000_000_000,
        cap: int | None = None,
        keys: Mapping[str, tuple[str, ...]] | None = None,
        policy: CancelPolicy = CancelPolicy.DRAIN,
        requests_left: int = 1_000_000,
        keep_alive: float = 15.0,
        pipeline: PipelineSettings | None = None,
        attempt: AttemptSettings | None = None,
        capabilities: frozenset[Capability] = FACTS,
        loops: LoopSettings | None = None,
        also: Mapping[str, tuple[Dialect, ...]] = MappingProxyType({}),
        sums: Sums | None = None,
        verdicts: Sums | None = None,
        texts: Sums | None = None,
        health: HealthSettings | None = None,
        hedged: bool = True,
        caching: inference.CacheSettings | None = None,
        embedding: Embedding | None = None,
    ) -> None:
        self.books, self.wire, self.gate = Books(balance, cap), Wire(), Gate(requests_left)
        self.notes, self.shelf, self.lessons, self.diary = Notes(), Shelf(), Notebook(), Diary()
        self.sums, self.verdicts, self.texts = sums or Sums(), verdicts or Sums(), texts or Sums()
        self.clock, self.counts, self.hedges = LoopClock(), inference.CacheCounts(), inference.HedgeFigures()
        self.kept, self.cache = Kept(self.clock), MemoryCache(self.clock.monotonic, ROOM)
        self.health, self.ids = Health(health or QUICK), counting_ids(1 if sums is None else 10_000)
        self.providers = {name: provider(name, policy, also.get(name, ())) for name in DIALECTS}
        given = {name: (f"sk-{name}",) for name in DIALECTS} if keys is None else keys
        self.prices, self.markups = PriceBook.of(rows()), MarkupTable(MARKUP)
        self.key, self.plan, self.rules = KEY, "", tuple[ModelRule, ...]()
        self.feature = inference.build(
            inference.Dependencies(
                access=access_of(self.providers, given),
                catalog=catalog_of(capabilities),
                prices=self.priced,
                ledger=self.books,  # type: ignore[arg-type] - the operator's side of the ledger is not asked here
                upstream=self.wire,
                limits=limits_of(self.gate),
                quotes=self.shelf,
                lessons=self.lessons,
                evidence=self.sums,
                verdicts=self.verdicts,
                texts=self.texts,
                decisions=self.diary,
                answers=self.kept,
                cache=self.cache,
                cache_counts=self.counts,
                embedding=embedding,
                clock=self.clock,
                ids=self.ids,
                telemetry=self.notes,
                problems=NativeProblems("https://gateway.example/billing"),
                health=self.health,
                hedge_figures=self.hedges,
                options=options_of(keep_alive, attempt, pipeline, loops, caching, hedged=hedged, prompts=self.prompts),
            )
        )

    def priced(self) -> PriceList:
        known = self._priced
        if known is None or known.book is not self.prices or known.markups is not self.markups:
            known = self._priced = PriceList(self.prices, self.markups)
        return known

    def allow(self, *models: str) -> None:
        self.key = replace(self.key, models=models)

    async def ask(
        self,
        path: str = "/v1/execute",
        *,
        caller: Caller | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        method: str = "POST",
        account: str = ACCOUNT,
        **fields: Any,
    ) -> Answer:
        """One request; fields are the body's, over a small task."""
        sent = {"task_type": "code_generation", "prompt": "create a REST API", **fields} if body is None else None
        caller = caller or Caller()
        path, _, query = path.partition("?")
        match = RouteTable(self.feature.routes).find(method, path)
        given = {"content-type": "application/json", **(headers or {})}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        payload = json.dumps(sent).encode() if body is None else body
        messages = [{"type": "http.request", "body": payload, "more_body": False}]

        async def receive() -> Message:
            return messages.pop() if messages else await caller.receive()

        request = Request(scope, receive, request_id=self.ids.new("req"), parameters=match.parameters)
        key_id = "" if self.key is None else self.key.key_id
        request.principal = Principal(
            account_id=account, user_id="user_1", key=self.key, rules=self.rules, plan=self.plan, key_id=key_id
        )
        route = match.route
        try:
            reply = await route.endpoint(request)
        except GatewayError as error:
            assert route.errors is not None
            reply = route.errors(error, request.request_id)
        await reply(scope, receive, Sending(caller))
        return caller.answer()

    async def stream(self, **fields: Any) -> Answer:
        return await self.ask("/v1/execute/stream", **fields)

    async def settle_down(self) -> None:
        """Wait until nothing is in flight."""
        assert self.feature.stop is not None
        await self.feature.stop()
