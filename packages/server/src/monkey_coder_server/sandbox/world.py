"""The state of one running sandbox, and the steps from a request to a reply that need it."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from monkey_coder_server.sandbox import author, catalog, pricing
from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.directives import NOTHING, Directive, DirectiveError, Script, applied, parsed
from monkey_coder_server.sandbox.exchange import Ask, Kind, Reply, Usage
from monkey_coder_server.sandbox.identifiers import Identifiers
from monkey_coder_server.sandbox.prefix_cache import ExplicitCache, ImplicitCache, explicit_minimum
from monkey_coder_server.sandbox.received import Inbox
from monkey_coder_server.sandbox.served import Served
from monkey_coder_server.sandbox.tally import Tally
from monkey_coder_server.sandbox.wire_errors import Refused

CREATED = 1_790_000_000
"""Unix time the first answer claims; each later one is a second on, so that runs can be repeated."""
_CHUNK = 24
_CHUNKS = {"perplexity": 96}
"""Perplexity repeats the whole text so far in every event; larger steps keep its streams within reason."""
_REPLIES = 2_048
_ABSURD = Usage(uncached=10**15, cache_read=10**15, output=10**15, reasoning=7)


@dataclass(frozen=True, slots=True)
class Read:
    """A request that has been read: kept for the next one with the same bytes."""

    card: Card
    ask: Ask
    reply: Reply | None


class World:
    """Seed, script, caches, ids and tally of one sandbox."""

    def __init__(  # noqa: PLR0913 - each argument is an independent property of a sandbox, all named
        self,
        *,
        seed: int,
        script: Script,
        defaults: Directive,
        priced_at: datetime,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.seed = seed
        self.defaults = defaults
        self.priced_at = priced_at
        self._clock = clock
        self.now = now
        self.tally = Tally()
        self.inbox = Inbox()
        self.script = script
        self.reset()

    def reset(self) -> None:
        """Forget tally, inbox, caches, remembered requests and the order of ids; rules stay until replaced."""
        self.tally.clear()
        self.inbox.clear()
        self.identifiers = Identifiers(self.seed)
        self._implicit = ImplicitCache()
        self._explicit = ExplicitCache(self._clock)
        self._known: OrderedDict[tuple[str, str, bytes], Read] = OrderedDict()

    def card(self, provider: str, model: str, kind: Kind = "chat") -> Card | None:
        """The model, at the prices valid when the sandbox started."""
        return catalog.find(provider, model, self.priced_at, kind)

    def recall(self, key: tuple[str, str, bytes]) -> Read | None:
        """A request with exactly these bytes that was read before."""
        return self._known.get(key)

    def remember(self, key: tuple[str, str, bytes], read: Read) -> None:
        """Keep a read request, dropping the oldest."""
        self._known[key] = read
        if len(self._known) > _REPLIES:
            self._known.popitem(last=False)

    def directive(self, ask: Ask, header: str) -> Directive:
        """What rules, header and prompt tell this request. Raises Refused for one that cannot be followed."""
        if not (self.script.rules or header or ask.directives):
            return self.defaults
        try:
            scripted = self.script.directive(ask.provider, ask.model, ask.prompt)
            result = _over(self.defaults, scripted)
            settings = [*([_decoded(header)] if header else []), *(parsed(text) for text in ask.directives)]
            for layer in settings:
                result = applied(result, layer, provider=ask.provider, model=ask.model)
        except DirectiveError as error:
            message = f"sandbox: {error}"
            raise Refused("invalid", message) from error
        return result

    def reply(self, ask: Ask, directive: Directive) -> Reply:
        """What the model answers."""
        return author.write(ask, directive, self.seed)

    def serve(self, card: Card, ask: Ask, reply: Reply, directive: Directive) -> Served:
        """Count, cache and price a request that is going to be answered."""
        usage = self.usage(card, ask, reply)
        number = self.identifiers.draw()
        reported: Usage | None = usage
        if directive.fault in {"no_usage", "absurd_usage"}:
            reported = None if directive.fault == "no_usage" else _ABSURD
        return Served(
            ask=ask,
            reply=reply,
            card=card,
            usage=usage,
            reported=reported,
            bill=pricing.bill(card, usage),
            number=number,
            created=CREATED + self.identifiers.serial,
            chunk=directive.chunk or _CHUNKS.get(ask.provider, _CHUNK),
        )

    def usage(self, card: Card, ask: Ask, reply: Reply) -> Usage:
        """The token buckets of a request, updating the provider's prompt cache."""
        scope = f"{ask.provider}/{card.id}"
        if not card.caches:
            prompt = Usage(uncached=ask.prompt_tokens)
        elif ask.provider == "anthropic":
            prompt = self._explicit.split(scope, ask.pieces, minimum=explicit_minimum(card.id))
        else:
            writes = ask.provider == "openai" and card.bills_cache_writes
            prompt = self._implicit.split(scope, ask.pieces, bills_writes=writes)
        unasked = 3 if "web_searches_kcount" in card.prices and ask.provider == "perplexity" else 0
        return replace(
            prompt,
            output=reply.text_tokens,
            reasoning=reply.reasoning_tokens,
            citation=unasked * 40,
            searches=unasked + reply.searches,
        )


def _over(base: Directive, top: Directive) -> Directive:
    """The base with every field the top sets."""
    changed: dict[str, Any] = {
        name: getattr(top, name) for name in Directive.__slots__ if getattr(top, name) != getattr(NOTHING, name)
    }
    return replace(base, **changed) if changed else base


def _decoded(header: str) -> dict[str, Any]:
    try:
        settings = msgspec.json.decode(header)
    except msgspec.DecodeError as error:
        message = f"header x-sandbox-script: {error}"
        raise DirectiveError(message) from error
    if not isinstance(settings, dict):
        raise DirectiveError("header x-sandbox-script is a JSON object")
    return settings
