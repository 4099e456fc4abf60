"""What a caller wants of the cache of answers: `Cache-Control` (RFC 9111, section 5.2.1) and a header of our own."""

from enum import StrEnum
from typing import NamedTuple

from monkey_coder_server.domain.errors import InvalidRequest

HEADER = "x-monkey-cache"
"""What the caller says with it is a `Switch`; what the answer says is a `CacheStatus`."""
MOST_SECONDS = 2**31
"""A greater age counts as this one (RFC 9111, section 1.2.2)."""
_SHOWN = 40


class CacheMode(StrEnum):
    """Which requests take part: none; those that ask for it; also those that want the same answer every time."""

    OFF = "off"
    OPT_IN = "opt-in"
    OPT_OUT = "opt-out"


class CacheStatus(StrEnum):
    """Whether an answer was kept before, or on its way to another (`HIT`), was looked for in vain, or not at all.

    `SEMANTIC`: it was kept for the same request in other words.
    """

    HIT = "hit"
    SEMANTIC = "semantic"
    MISS = "miss"
    BYPASS = "bypass"


class Switch(StrEnum):
    """What the header may say. `REFRESH`: ask a model, and keep its answer in place of the one that is kept.

    `SEMANTIC`: as `ON`, and an answer to the same in other words will do.
    """

    ON = "on"
    OFF = "off"
    REFRESH = "refresh"
    SEMANTIC = "semantic"


class CacheWish(NamedTuple):
    """`asked`: the caller wants to take part. `look`: a kept answer will do, if not older than `max_age` seconds.

    `store`: the answer may be kept. `only_if_cached`: no model is to be asked. `reworded`: so will one to the same in
    other words.
    """

    asked: bool = False
    look: bool = True
    store: bool = True
    only_if_cached: bool = False
    max_age: int | None = None
    reworded: bool = False

    def takes_part(self, mode: CacheMode, *, repeatable: bool) -> bool:
        """Whether the cache is used at all; `repeatable`: the request says that it wants the same answer each time."""
        if mode is CacheMode.OFF or not self.store:
            return False
        return self.asked or (mode is CacheMode.OPT_OUT and repeatable)


def read_wish(control: str | None, own: str | None) -> CacheWish:
    """What the two headers say together; what forbids goes before what allows. Raises `InvalidRequest`.

    As `no-cache` and `max-age=0` are sent by programs that know nothing of us, they alone ask for nothing.
    """
    switch = _switch(own)
    said = _directives(control)
    max_age = _seconds(said.get("max-age"))
    refused = switch is Switch.OFF or "no-store" in said
    anew = switch is Switch.REFRESH or "no-cache" in said or max_age == 0
    only = "only-if-cached" in said
    return CacheWish(
        asked=not refused and (switch in {Switch.ON, Switch.SEMANTIC, Switch.REFRESH} or bool(max_age) or only),
        look=not refused and not anew,
        store=not refused,
        only_if_cached=only,
        max_age=max_age,
        reworded=not refused and switch is Switch.SEMANTIC,
    )


def _switch(own: str | None) -> Switch | None:
    if own is None:
        return None
    try:
        return Switch(own.strip().lower())
    except ValueError:
        message = f"The header `X-Monkey-Cache` must be one of {', '.join(Switch)}; {own[:_SHOWN]!r} was sent."
        raise InvalidRequest(message) from None


def _directives(control: str | None) -> dict[str, str]:
    """By lower-case name; those that are unknown are nobody's business."""
    found = {}
    for part in (control or "").split(","):
        name, _, value = part.partition("=")
        found[name.strip().lower()] = value.strip().strip('"')
    return found


def _seconds(value: str | None) -> int | None:
    """None for an age that is none: then nothing is said of it."""
    if value is None or not (value.isascii() and value.isdigit()):
        return None
    return MOST_SECONDS if len(value) > len(str(MOST_SECONDS)) else min(int(value), MOST_SECONDS)
