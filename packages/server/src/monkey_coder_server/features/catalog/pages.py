"""Pages of a list as the Anthropic and Google SDKs turn them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from monkey_coder_server.domain.errors import InvalidRequest

LARGEST = 1000


class Named(Protocol):
    """What has an id."""

    id: str


T = TypeVar("T", bound=Named)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list, and whether more follows in the direction that was asked for."""

    entries: Sequence[T]
    has_more: bool


def page_of(entries: Sequence[T], query: Mapping[str, str]) -> Page[T]:
    """What `limit`, `after_id` and `before_id` ask for, everything without them. Raises `InvalidRequest`."""
    limit = bounded(query, "limit") or len(entries)
    places = {entry.id: place for place, entry in enumerate(entries)}
    before = query.get("before_id")
    if before is not None:
        end = _place(places, before, "before_id")
        start = max(0, end - limit)
        return Page(entries[start:end], has_more=start > 0)
    after = query.get("after_id")
    start = 0 if after is None else _place(places, after, "after_id") + 1
    return Page(entries[start : start + limit], has_more=start + limit < len(entries))


def bounded(query: Mapping[str, str], *names: str) -> int | None:
    """How many entries a page may hold. Raises `InvalidRequest` for what is no number from 1 to 1000."""
    given = next((query[name] for name in names if name in query), None)
    if given is None:
        return None
    if not (given.isascii() and given.isdecimal() and 1 <= int(given[:6]) <= LARGEST):
        message = f"The query parameter `{names[0]}` must be a whole number from 1 to {LARGEST}."
        raise InvalidRequest(message)
    return int(given)


def _place(places: Mapping[str, int], identity: str, name: str) -> int:
    if identity not in places:
        message = f"The query parameter `{name}` names no model of this list."
        raise InvalidRequest(message)
    return places[identity]
