"""What makes two requests the same to the cache of answers, and which of them take part.

Everything an answer hangs on is in the key: whose it is, what is asked in which dialect, what the router is told, which
models may be asked and what they are, and what they cost. Unknown fields count like all others; a key is a full hash.
"""

import hmac
from collections.abc import Callable, Sequence
from functools import cached_property
from hashlib import sha256

import msgspec

from monkey_coder_server.domain.cache_control import CacheMode, CacheWish
from monkey_coder_server.domain.catalog import Catalog
from monkey_coder_server.domain.price_list import PriceList
from monkey_coder_server.domain.rewording import LEAST_SIMILARITY
from monkey_coder_server.features.inference.cached_answer import Recalled
from monkey_coder_server.ports.cache import CacheKey
from monkey_coder_server.ports.record import Record
from monkey_coder_server.web.principal import Principal

VERSION = 1
"""Of the key and of what is kept under it."""

_encode = msgspec.json.Encoder(order="deterministic").encode


class CacheSettings(Record, frozen=True):
    """`seconds` is how long an answer is kept at most. `secret` keys the hashes: without it nobody can guess one.

    `similarity` is the least of two wordings of one request.
    """

    mode: CacheMode = CacheMode.OPT_IN
    seconds: int = 3_600
    secret: bytes = b"memory"
    similarity: float = LEAST_SIMILARITY


class Wording(Record, frozen=True):
    """The words of the last turn; `place` is where requests are noted that differ from it in these words at most."""

    place: CacheKey
    text: str


class Caching(Record, frozen=True, kw_only=True):
    """How one request of `size` bytes takes part. `seconds`: how long its answer may be kept.

    `wording` where an answer to the same in other words will do.

    `flight` is what requests share whose answers are made at the same time: those of one API key, for what it may
    spend decides how long an answer may get. `retell` writes the caller's body of a kept answer; `keep` makes of it
    what an idempotent replay is given, if that is something else.
    """

    key: CacheKey
    flight: bytes
    wish: CacheWish
    seconds: int
    size: int
    retell: Callable[[Recalled], bytes]
    keep: Callable[[Recalled], bytes] | None = None
    wording: Wording | None = None


class Revision:
    """One hash of every fact of every model, where it is called, and what it costs an account of a plan."""

    def __init__(self, catalog: Catalog, base_urls: Sequence[tuple[str, str]], prices: Callable[[], PriceList]) -> None:
        self._catalog = catalog
        self._base_urls = base_urls
        self._prices = prices
        self._of: tuple[PriceList, bytes] | None = None

    @cached_property
    def _models(self) -> bytes:
        return _encode([self._catalog.cards, sorted(self._base_urls)])

    def of(self, plan: str) -> tuple[str, str]:
        """The hash, and the plan where it has prices of its own."""
        prices = self._prices()
        if self._of is None or self._of[0] is not prices:
            told = _encode([prices.book.id, prices.markups.default, prices.markups.rules])
            self._of = prices, sha256(self._models + told).digest()
        return self._of[1].hex(), prices.priced_as(plan)


def key_of(secret: bytes, principal: Principal, revision: Revision, asked: Sequence[object]) -> CacheKey:
    """The key of a request: `asked` is all it says, in canonical form."""
    key = principal.key
    told = [
        VERSION,
        principal.account_id,
        revision.of(principal.plan),
        principal.rules,
        None if key is None else [key.models, key.weights],
        asked,
    ]
    return CacheKey(principal.account_id, hmac.digest(secret, _encode(told), "sha256"))


def flight_of(key: CacheKey, principal: Principal, wording: Wording | None) -> bytes:
    """What only requests of the same API key share, all of which take an answer to other words, or none."""
    place = b"" if wording is None else wording.place.digest
    return sha256(key.digest + place + principal.key_id.encode()).digest()
