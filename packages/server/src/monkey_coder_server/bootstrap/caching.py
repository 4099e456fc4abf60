"""The cache of answers as the operator set it."""

import hmac
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from monkey_coder_server.adapters.cache.memory import MemoryCache
from monkey_coder_server.adapters.cache.redis import RedisCache
from monkey_coder_server.adapters.embedding.wordllama import WordLlama, missing
from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.adapters.sealing.aes import AesSealing
from monkey_coder_server.bootstrap.books import Books
from monkey_coder_server.domain.cache_control import CacheMode
from monkey_coder_server.features import inference
from monkey_coder_server.ports.cache import Cache, CacheBounds
from monkey_coder_server.ports.embedding import Embedding
from monkey_coder_server.ports.shared_store import SharedStore
from monkey_coder_server.settings import Settings

MEGABYTE = 1024 * 1024
LONGEST = MEGABYTE // 4
"""Bytes of one kept answer, compressed: no more than Redis carries without keeping limits waiting behind it."""
TENANT_SHARE = 4
"""One tenant has at most one part in so many of all there is room for."""
FIGURES = {
    "bytes": "What kept answers take.",
    "entries": "Kept answers, and places where such to other words are noted.",
    "evicted": "Answers that made room for others.",
    "refused": "Answers too large to be kept.",
    "failed": "Times the shared cache did not answer.",
}
COUNTS: Mapping[str, tuple[str, Callable[[inference.CacheCounts], int]]] = {
    "hits": ("Requests given a kept answer.", lambda counts: counts.hits),
    "reworded": ("Those of the hits whose answer was kept for other words.", lambda counts: counts.reworded),
    "shared": ("Requests given the answer of an equal one at the same time.", lambda counts: counts.shared),
    "misses": ("Requests for which no answer was kept.", lambda counts: counts.misses),
    "bypassed": ("Requests that took no part in the cache.", lambda counts: counts.bypassed),
    "stored": ("Answers that were kept.", lambda counts: counts.stored),
    "saved": ("Nano-dollars that kept and shared answers would have cost.", lambda counts: counts.saved),
}


def open_cache(books: Books, metrics: Metrics, shared: SharedStore | None) -> Cache:
    """Where answers are kept, and what it says of itself."""
    settings, bounds = books.settings, _bounds(books.settings)
    cache: Cache = MemoryCache(books.clock.monotonic, bounds)
    if shared is not None:
        peppers = (settings.key_pepper, *settings.old_peppers)
        cache = RedisCache(shared, AesSealing(*(pepper.reveal().encode() for pepper in peppers)), bounds)
    for name, meaning in FIGURES.items():
        metrics.track(f"monkey_coder_response_cache_{name}", meaning, partial(_figure, cache, name))
    return cache


def _figure(cache: Cache, name: str) -> float:
    return float(getattr(cache.figures(), name))


def cache_counts(metrics: Metrics) -> inference.CacheCounts:
    """What becomes of requests, for metrics."""
    counts = inference.CacheCounts()
    for name, (meaning, read) in COUNTS.items():
        metrics.track(f"monkey_coder_response_cache_{name}", meaning, partial(_count, counts, read))
    return counts


def _count(counts: inference.CacheCounts, read: Callable[[inference.CacheCounts], int]) -> float:
    return float(read(counts))


def cache_settings(settings: Settings) -> inference.CacheSettings:
    """Which requests take part, and for how long their answers are kept."""
    pepper = settings.key_pepper.reveal().encode()
    return inference.CacheSettings(
        mode=CacheMode(settings.response_cache),
        seconds=settings.response_cache_seconds,
        secret=hmac.digest(pepper, b"monkey-coder response cache", "sha256"),
        similarity=float(settings.semantic_cache_similarity),
    )


def open_embedding(settings: Settings) -> Embedding | None:
    """What likens the words of requests; None where the semantic cache is off, and then nothing of it is loaded."""
    return WordLlama() if settings.semantic_cache == "opt-in" else None


def unusable(settings: Settings) -> Iterator[str]:
    """What keeps the semantic cache from being used where it is on."""
    if settings.semantic_cache == "off":
        return
    if settings.response_cache == "off":
        yield "SEMANTIC_CACHE is on and RESPONSE_CACHE is off, which keeps no answers; change one of them."
    if (lacking := missing()) is not None:
        yield f"SEMANTIC_CACHE is on, but {lacking}."


def _bounds(settings: Settings) -> CacheBounds:
    total = settings.response_cache_megabytes * MEGABYTE
    return CacheBounds(entry=LONGEST, tenant=max(total // TENANT_SHARE, min(LONGEST, total)), total=total)
