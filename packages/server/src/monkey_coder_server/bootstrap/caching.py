"""The cache of answers as the operator set it."""

import hmac

from monkey_coder_server.adapters.cache.memory import MemoryCache
from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.bootstrap.books import Books
from monkey_coder_server.domain.cache_control import CacheMode
from monkey_coder_server.features import inference
from monkey_coder_server.ports.cache import Cache, CacheBounds
from monkey_coder_server.settings import Settings

MEGABYTE = 1024 * 1024
LONGEST = MEGABYTE
"""Bytes of one kept answer, compressed."""
TENANT_SHARE = 4
"""One tenant has at most one part in so many of all there is room for."""


def open_cache(books: Books, metrics: Metrics) -> Cache:
    """Where answers are kept, and what it says of itself."""
    cache = MemoryCache(books.clock.monotonic, _bounds(books.settings))
    track = metrics.track
    track("monkey_coder_response_cache_bytes", "What kept answers take.", lambda: float(cache.figures().bytes))
    track("monkey_coder_response_cache_entries", "Kept answers.", lambda: float(cache.figures().entries))
    track("monkey_coder_response_cache_evicted", "Answers that made room.", lambda: float(cache.figures().evicted))
    track("monkey_coder_response_cache_refused", "Answers too large.", lambda: float(cache.figures().refused))
    return cache


def cache_counts(metrics: Metrics) -> inference.CacheCounts:
    """What becomes of requests, for metrics."""
    counts, track = inference.CacheCounts(), metrics.track
    track("monkey_coder_response_cache_hits", "Requests given a kept answer.", lambda: float(counts.hits))
    track(
        "monkey_coder_response_cache_shared",
        "Requests given the answer of an equal one at the same time.",
        lambda: float(counts.shared),
    )
    track("monkey_coder_response_cache_misses", "Requests no kept answer was found for.", lambda: float(counts.misses))
    track("monkey_coder_response_cache_bypassed", "Requests that took no part.", lambda: float(counts.bypassed))
    track("monkey_coder_response_cache_stored", "Answers that were kept.", lambda: float(counts.stored))
    track("monkey_coder_response_cache_saved_nano_dollars", "What they would have cost.", lambda: float(counts.saved))
    return counts


def cache_settings(settings: Settings) -> inference.CacheSettings:
    """Which requests take part, and for how long their answers are kept."""
    pepper = settings.key_pepper.reveal().encode()
    return inference.CacheSettings(
        mode=CacheMode(settings.response_cache),
        seconds=settings.response_cache_seconds,
        secret=hmac.digest(pepper, b"monkey-coder response cache", "sha256"),
    )


def _bounds(settings: Settings) -> CacheBounds:
    total = settings.response_cache_megabytes * MEGABYTE
    return CacheBounds(entry=LONGEST, tenant=max(total // TENANT_SHARE, min(LONGEST, total)), total=total)
