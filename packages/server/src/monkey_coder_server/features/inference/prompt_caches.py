"""What a provider is asked to keep of a request's prompt, and that all turns of a conversation find it again.

Which beginnings of prompts were sent lately is remembered in this process, by account and model, for as long as a
provider keeps them; no word is kept, only hashes.
"""

from collections import OrderedDict
from dataclasses import replace
from hashlib import blake2b

import msgspec

from monkey_coder_server.domain.conversation import ModelRequest, PromptCache, Reuse, Role
from monkey_coder_server.domain.prompt_cache import SECONDS, PromptCaching, goes_on, is_marked, pays
from monkey_coder_server.features.inference.collapse import conversation_of
from monkey_coder_server.features.inference.job import Job
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.provider import Continuity
from monkey_coder_server.ports.record import Record

REMEMBERED = 20_000
LEAST_BYTES = 2_048
"""A shorter beginning is kept by no model: the least is 512 tokens."""
_INSTRUCTING = frozenset({Role.SYSTEM, Role.DEVELOPER})
_encode = msgspec.json.Encoder(enc_hook=dict).encode


class PromptCacheSettings(Record, frozen=True):
    """`on` False: no provider is told anything its caller did not say. `secret` keys the names of conversations."""

    on: bool = True
    secret: bytes = b"memory"


class Beginnings:
    """Hashes of what stood before conversations that were sent within the lifetime of a cache, the newest of them."""

    def __init__(self) -> None:
        self._sent: OrderedDict[bytes, float] = OrderedDict()

    def sent(self, request: ModelRequest, whose: str, now: float) -> bool:
        """Note it; whether the same was sent before, of the same account to the same model."""
        told = [message.parts for message in request.messages if message.role in _INSTRUCTING]
        if not told and not request.tools:
            return False
        written = _encode([request.tools, told])
        if len(written) < LEAST_BYTES:
            return False
        digest = blake2b(written, digest_size=16, key=blake2b(whose.encode()).digest()).digest()
        before = self._sent.pop(digest, None)
        self._sent[digest] = now
        if len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
        return before is not None and now - before < SECONDS


class Thread:
    """One request as a part of a conversation. Nothing is reckoned unless a provider has a use for it."""

    def __init__(self, job: Job, beginnings: Beginnings, clock: Clock, settings: PromptCacheSettings) -> None:
        self._job = job
        self._beginnings = beginnings
        self._clock = clock
        self._settings = settings
        self._again: dict[str, bool] = {}
        """By model, whether the beginning was sent before this request: its own calls say nothing."""

    def session(self) -> str | None:
        """What tells the conversation from others; None where requests stand for themselves."""
        return conversation_of(self._job)

    def asked(self, request: ModelRequest, route: Route) -> ModelRequest:
        """The request with what this provider is told about keeping its prompt."""
        continuity = route.provider.continuity
        if continuity is Continuity.NONE or not self._settings.on or self._job.prompt_caching is PromptCaching.OFF:
            return request
        told = self._reuse(request, route) if continuity is Continuity.MARKS else self._named(request)
        return request if told is None else replace(request, prompt_cache=told)

    def _named(self, request: ModelRequest) -> PromptCache | None:
        """A name no one else can tell the account or the conversation from."""
        session = self.session() if goes_on(request) else None
        if session is None:
            return None
        secret = blake2b(self._settings.secret).digest()
        return PromptCache(session=blake2b(session.encode(), digest_size=16, key=secret).hexdigest())

    def _reuse(self, request: ModelRequest, route: Route) -> PromptCache | None:
        if not pays(route.tariff.row.rates) or is_marked(request):
            return None
        if self._job.prompt_caching is PromptCaching.ON or goes_on(request):
            return PromptCache(Reuse.ALL)
        return PromptCache(Reuse.BEGINNING) if self._was_sent(request, route.name) else None

    def _was_sent(self, request: ModelRequest, model: str) -> bool:
        found = self._again.get(model)
        if found is None:
            whose = f"{self._job.principal.account_id} {model}"
            found = self._again[model] = self._beginnings.sent(request, whose, self._clock.monotonic())
        return found


class PromptCaches:
    """Makes the threads of requests."""

    def __init__(self, clock: Clock, settings: PromptCacheSettings) -> None:
        self._clock = clock
        self._settings = settings
        self._beginnings = Beginnings()

    def of(self, job: Job) -> Thread:
        """The thread of a request."""
        return Thread(job, self._beginnings, self._clock, self._settings)
