"""Answers kept for the same request in other words, for those who ask for such.

Where a request would lie without the words of its last turn, and with what two wordings of it must have in common, the
last few wordings are noted: their vectors and the keys of their answers, never the words. The notes lie in the cache of
answers itself and are as bounded, as old and as sealed as those; where that is shared, so are they.
"""

from array import array
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from monkey_coder_server.domain.catalog import Kind
from monkey_coder_server.domain.rewording import kernel, similarity, words_asked
from monkey_coder_server.features.inference.caching import CacheSettings, Revision, Wording, key_of
from monkey_coder_server.features.inference.job import Job
from monkey_coder_server.ports.cache import Cache, CacheKey
from monkey_coder_server.ports.embedding import Embedding

MOST = 8
"""Wordings noted in one place; the oldest makes room."""


class _Note(msgspec.Struct, array_like=True):
    """`digest` is of the answer's key, `vector` of 32-bit floats."""

    digest: bytes
    vector: bytes


_encode = msgspec.msgpack.Encoder().encode
_notes = msgspec.msgpack.Decoder(list[_Note]).decode


class Near(NamedTuple):
    """Where an answer is kept, and how alike the words are that it was made for."""

    key: CacheKey
    similarity: float


class Rewordings:
    """What `settings` give is the secret of the hashes and the least similarity of two wordings."""

    def __init__(self, cache: Cache, embedding: Embedding, revision: Revision, settings: CacheSettings) -> None:
        self._cache = cache
        self._embedding = embedding
        self._revision = revision
        self._secret = settings.secret
        self._least = settings.similarity

    def text_of(self, job: Job) -> str | None:
        """The words that may be others; None for what has no other words."""
        return words_asked(job.request) if job.wishes.kind is Kind.CHAT else None

    def wording(self, job: Job, text: str, beside: Sequence[object]) -> Wording | None:
        """With `beside`, all else that is said; None for words that have to stay as they are."""
        common = kernel(text)
        if common is None:
            return None
        asked = ["in other words", self._embedding.name, common, beside]
        return Wording(key_of(self._secret, job.principal, self._revision, asked), text)

    async def near(self, wording: Wording) -> Sequence[Near]:
        """Answers to the same in other words, the most alike first. No vector is made where nothing is noted."""
        noted = await self._noted(wording.place)
        if not noted:
            return ()
        vector = await self._embedding.vector(wording.text)
        found = (Near(CacheKey(wording.place.tenant, each.digest), similarity(vector, _read(each))) for each in noted)
        return sorted((each for each in found if each.similarity >= self._least), key=lambda each: -each.similarity)

    async def note(self, wording: Wording, key: CacheKey, *, seconds: int) -> None:
        """That there is an answer to these words, for so many seconds."""
        vector = array("f", await self._embedding.vector(wording.text)).tobytes()
        others = [each for each in await self._noted(wording.place) if each.digest != key.digest]
        noted = [*others[-(MOST - 1) :], _Note(key.digest, vector)]
        await self._cache.put(wording.place, _encode(noted), seconds=seconds)

    async def _noted(self, place: CacheKey) -> list[_Note]:
        value = await self._cache.get(place)
        try:
            return [] if value is None else _notes(value)
        except msgspec.DecodeError:
            return []


def _read(note: _Note) -> Sequence[float]:
    return array("f", note.vector)
