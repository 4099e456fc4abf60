"""What a reply tells of its answer, be it made for it or given again: who gave it, for how much, from where."""

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from math import floor

from monkey_coder_server.domain.cache_control import HEADER, CacheStatus
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.stream_events import FinishReason
from monkey_coder_server.features.inference.cached_answer import Recalled
from monkey_coder_server.features.inference.job import Served, Settled
from monkey_coder_server.ports.front import Bill, Inbound
from monkey_coder_server.ports.ledger import Charge
from monkey_coder_server.web.respond import Headers

LONGEST_NAME = 64
MOST_NAMES = 32
"""Of what a caller is told was dropped."""
_CACHE = HEADER.encode()
_STATUS = {status: (_CACHE, status.encode()) for status in CacheStatus}
_UNSAFE = re.compile(r"[^A-Za-z0-9_.\-]")
"""What shall not stand in a header."""


@lru_cache(maxsize=1024)
def route_headers(provider: str, model: str) -> tuple[tuple[bytes, bytes], ...]:
    """Who answers."""
    return (b"x-monkey-provider", provider.encode()), (b"x-monkey-model", model.encode())


def collapse_headers(rule: str) -> Headers:
    """By which rule the answer was kept; nothing where several were not asked for."""
    return [(b"x-monkey-collapse", rule.encode())] if rule else []


def cache_headers(status: CacheStatus, age: int, similarity: float | None) -> Headers:
    """Where the answer is from, and how many seconds old one is that is given again (RFC 9111, section 5.1).

    To other words: how alike they are, rounded down, as a parameter (RFC 9651, section 3.1.2).
    """
    if similarity is not None:
        alike = f"{status}; similarity={floor(similarity * 1000) / 1000:.3f}"
        return [(_CACHE, alike.encode()), (b"age", b"%d" % age)]
    told = _STATUS[status]
    return [told, (b"age", b"%d" % age)] if status is CacheStatus.HIT else [told]


def settled_headers(outcome: Settled | Recalled) -> Headers:
    """Who answered, for how much, the receipt's id, and whether it was from the cache."""
    if isinstance(outcome, Recalled):
        provider, model, rule = outcome.answer.provider, outcome.answer.model, outcome.answer.rule
        cached = cache_headers(outcome.status, outcome.age, outcome.similarity)
    else:
        served = outcome.served
        provider, model, rule = served.route.provider.name, served.route.card.model, served.rule
        cached = cache_headers(CacheStatus.BYPASS if served.job.caching is None else CacheStatus.MISS, 0, None)
    charge = outcome.charge
    return [
        *route_headers(provider, model),
        (b"x-monkey-cost", usd(charge.charged).encode()),
        (b"x-monkey-receipt", charge.receipt_id.encode()),
        *collapse_headers(rule),
        *cached,
    ]


def bill_of(outcome: Settled | Recalled) -> Bill:
    """How the answer ended and what it cost; one that is given again has the usage it had, and costs nothing."""
    if isinstance(outcome, Settled):
        return served_bill(outcome.served, outcome.charge)
    answer, charge = outcome.answer, outcome.charge
    return Bill(
        usage=answer.usage,
        cost=charge.charged,
        receipt_id=charge.receipt_id,
        finish=answer.finish,
        native_finish=answer.native_finish,
        provider=answer.provider,
    )


def served_bill(served: Served, charge: Charge) -> Bill:
    """How the answer ended and what it cost."""
    answer = served.answer
    return Bill(
        usage=served.usage,
        cost=charge.charged,
        receipt_id=charge.receipt_id,
        finish=answer.finish or FinishReason.OTHER,
        native_finish=answer.native_finish,
        provider=served.route.provider.name,
    )


def dropped_of(outcome: Settled | Recalled, inbound: Inbound) -> Headers:
    """What the model was not told."""
    told = outcome.answer if isinstance(outcome, Recalled) else outcome.served
    return dropped_headers(told.relayed, told.dropped, inbound)


def dropped_headers(relayed: bool, dropped: Sequence[str], inbound: Inbound) -> Headers:  # noqa: FBT001 - two plain facts
    """What the model was not told, for callers who wonder. The names are the caller's own and may hold anything."""
    lost = () if relayed else inbound.lost
    if not dropped and not lost:
        return []
    names = dict.fromkeys((*dropped, *lost))
    shown = (_UNSAFE.sub("?", name[:LONGEST_NAME]) for name in islice(names, MOST_NAMES))
    return [(b"x-monkey-dropped", ", ".join(shown).encode("ascii"))]
