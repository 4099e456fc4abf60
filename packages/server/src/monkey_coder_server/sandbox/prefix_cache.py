"""Prompt caches: the implicit prefix cache of most providers and Anthropic's explicit breakpoints."""

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import accumulate

from monkey_coder_server.sandbox.exchange import Piece, Usage
from monkey_coder_server.sandbox.tokens import CHARACTERS_PER_TOKEN

MINIMUM_TOKENS = 1_024
EXPLICIT_MINIMA = (
    (r"^claude-(opus|fable|mythos)-5$", 512),
    (r"^claude-(opus-4-[567]|haiku-4-5)", 4_096),
    (r"^claude-(3-5-haiku|3-haiku|haiku-3|sonnet-4-6)", 2_048),
)
"""Tokens a prefix of a Claude model needs to be kept, where that is not 1,024 (the page below, cache limitations)."""
BLOCK_TOKENS = 128
LOOKBACK_BLOCKS = 20
"""Anthropic looks at most this many blocks back from a breakpoint for an earlier write
(https://platform.claude.com/docs/en/build-with-claude/prompt-caching)."""
_CAPACITY = 65_536


def explicit_minimum(model: str) -> int:
    """The shortest prefix of a Claude model that is kept, in tokens."""
    return next((tokens for pattern, tokens in EXPLICIT_MINIMA if re.search(pattern, model)), MINIMUM_TOKENS)


class ImplicitCache:
    """Remembers prompt prefixes in blocks of 128 tokens for the life of the process, least recently used out first."""

    def __init__(self) -> None:
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def split(self, scope: str, pieces: Sequence[Piece], *, bills_writes: bool) -> Usage:
        """How much of a prompt was cached, remembering it for the next request of that scope (provider and model)."""
        total = sum(piece.tokens for piece in pieces)
        if total < MINIMUM_TOKENS:
            return Usage(uncached=total)
        blocks = list(self._blocks(scope, pieces))
        known = 0
        for block in blocks:
            if block not in self._seen:
                break
            known += 1
        for block in blocks:
            self._seen[block] = None
            self._seen.move_to_end(block)
        while len(self._seen) > _CAPACITY:
            self._seen.popitem(last=False)
        read = min(known * BLOCK_TOKENS, total - 1)
        if read < MINIMUM_TOKENS:
            read = 0
        written = min(max(len(blocks) * BLOCK_TOKENS - read, 0), total - read - 1) if bills_writes else 0
        return Usage(uncached=total - read - written, cache_read=read, cache_write_5m=written)

    @staticmethod
    def _blocks(scope: str, pieces: Sequence[Piece]) -> Iterator[bytes]:
        text = "\x1e".join(piece.text for piece in pieces)
        size = BLOCK_TOKENS * CHARACTERS_PER_TOKEN
        chain = blake2b(scope.encode(), digest_size=16)
        for start in range(0, len(text) - size + 1, size):
            chain.update(text[start : start + size].encode("utf-8", "surrogatepass"))
            yield chain.copy().digest()


class ExplicitCache:
    """Anthropic's cache: prefixes end at breakpoints, live 5 minutes or 1 hour, and a read renews them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: OrderedDict[bytes, tuple[float, int]] = OrderedDict()

    def split(self, scope: str, pieces: Sequence[Piece], *, minimum: int = MINIMUM_TOKENS) -> Usage:
        """Divide a prompt into read, written (by lifetime) and uncached tokens, and remember what was written."""
        total = sum(piece.tokens for piece in pieces)
        breakpoints = [index for index, piece in enumerate(pieces) if piece.cache_seconds]
        if not breakpoints:
            return Usage(uncached=total)
        keys = list(self._keys(scope, pieces))
        upto = list(accumulate(piece.tokens for piece in pieces))
        hit = self._longest_hit(keys, breakpoints)
        read = upto[hit] if hit is not None else 0
        written = {300: 0, 3_600: 0}
        reached = read
        for index in breakpoints:
            if upto[index] < minimum:
                continue
            seconds = pieces[index].cache_seconds
            written[seconds] += max(upto[index] - reached, 0)
            reached = max(reached, upto[index])
            self._remember(keys[index], seconds)
        return Usage(
            uncached=total - reached,
            cache_read=read,
            cache_write_5m=written[300],
            cache_write_1h=written[3_600],
        )

    @staticmethod
    def _keys(scope: str, pieces: Sequence[Piece]) -> Iterator[bytes]:
        chain = blake2b(scope.encode(), digest_size=16)
        for piece in pieces:
            chain.update(piece.text.encode("utf-8", "surrogatepass") + b"\x1e")
            yield chain.copy().digest()

    def _longest_hit(self, keys: Sequence[bytes], breakpoints: Sequence[int]) -> int | None:
        now = self._clock()
        for index in reversed(breakpoints):
            for earlier in range(index, max(index - LOOKBACK_BLOCKS, -1), -1):
                until, seconds = self._until.get(keys[earlier], (0.0, 0))
                if until > now:
                    self._remember(keys[earlier], seconds)
                    return earlier
        return None

    def _remember(self, key: bytes, seconds: int) -> None:
        self._until[key] = (self._clock() + seconds, seconds)
        self._until.move_to_end(key)
        while len(self._until) > _CAPACITY:
            self._until.popitem(last=False)
