"""One Stripe account: its objects, its clock, what is due later, and the events that tell of changes."""

import copy
import heapq
import itertools
import random
import string
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from monkey_coder_server.sandbox.stripe.refusals import missing

API_VERSION = "2026-10-28.endive"
Object = dict[str, Any]
_LETTERS = string.ascii_letters + string.digits


def visible(found: Object) -> Object:
    """An object without what is ours: names that begin with `_`."""
    return {name: value for name, value in found.items() if not name.startswith("_")}


@dataclass(order=True, slots=True)
class _Due:
    at: int
    place: int
    live: bool = field(compare=False)
    act: Callable[[], None] = field(compare=False)


@dataclass(slots=True)
class Request:
    """The call that is being answered; None of both for what a clock or a page did."""

    id: str | None = None
    idempotency_key: str | None = None


class Account:
    """All state. Every method is plain and instant: whoever calls one sees or makes a whole change."""

    def __init__(
        self,
        *,
        seed: int = 0,
        wall: Callable[[], float] = time.time,
        tax_basis_points: int = 1_000,
        name: str = "Monkey Coder",
    ) -> None:
        self.wall = wall
        self.tax_basis_points = tax_basis_points
        self.name = name
        self.base_url = ""
        self.live = False
        self.request = Request()
        self.objects: dict[str, Object] = {}
        self.by_kind: dict[str, list[Object]] = {}
        self.numbers: dict[str, str] = {}
        """Payment method → the number it stands for: never part of an object."""
        self.set_up: set[str] = set()
        """Payment methods their bank agreed to charge later."""
        self.when_settled: dict[str, Callable[[], None]] = {}
        """Payment intent → what waits for its bank."""
        self.listeners: list[Callable[[Object], None]] = []
        self._skipped = 0
        self._random = random.Random(seed)
        self._agenda: list[_Due] = []
        self._places = itertools.count()

    def now(self) -> int:
        """Seconds since 1970, moved by `advance`."""
        return int(self.wall()) + self._skipped

    def advance(self, seconds: int) -> None:
        """Let time pass; everything due happens at its own moment, in order."""
        until = self.now() + seconds
        while self._agenda and self._agenda[0].at <= until:
            self._skipped += max(0, self._agenda[0].at - self.now())
            self._act()
        self._skipped += until - self.now()

    def next_due(self) -> int | None:
        """When the next thing is due, Unix seconds; None while nothing is."""
        return self._agenda[0].at if self._agenda else None

    def settle(self) -> None:
        """Do what is due by now."""
        while self._agenda and self._agenda[0].at <= self.now():
            self._act()

    def later(self, seconds: int, act: Callable[[], None]) -> None:
        """Do something when that time has passed."""
        due = _Due(self.now() + seconds, next(self._places), self.live, act)
        heapq.heappush(self._agenda, due)

    @contextmanager
    def mode_of(self, live: bool) -> Iterator[None]:  # noqa: FBT001 - the one thing it takes
        """Act in test or live mode until the block ends."""
        before, self.live = self.live, live
        try:
            yield
        finally:
            self.live = before

    def new_id(self, prefix: str) -> str:
        """An id no other object has."""
        return f"{prefix}_{''.join(self._random.choices(_LETTERS, k=24))}"

    def add(self, prefix: str, kind: str, fields: Object, *, known: str = "") -> Object:
        """Keep a new object; `id`, `object`, `created` and `livemode` are set here."""
        made: Object = {
            "id": known or self.new_id(prefix),
            "object": kind,
            "created": self.now(),
            "livemode": self.live,
        }
        made |= fields
        self.objects[made["id"]] = made
        self.by_kind.setdefault(kind, []).append(made)
        return made

    def get(self, kind: str, name: str, param: str = "id") -> Object:
        """An object of this mode. Raises a 404 refusal."""
        found = self.objects.get(name)
        if found is None or found["object"] != kind or found["livemode"] != self.live:
            raise missing(kind.replace("_", " "), name, param)
        return found

    def customer(self, name: str, param: str = "customer") -> Object:
        """A customer nobody deleted. Raises a refusal."""
        found = self.get("customer", name, param)
        if found.get("deleted"):
            raise missing("customer", name, param)
        return found

    def all(self, kind: str, **match: Any) -> list[Object]:
        """Objects of this mode with these values, oldest first."""
        return [
            item
            for item in self.by_kind.get(kind, ())
            if item["livemode"] == self.live and all(item.get(name) == value for name, value in match.items())
        ]

    def emit(self, kind: str, subject: Object, previous: Object | None = None) -> None:
        """Tell of a change: an event with the object as it is now."""
        data: Object = {"object": copy.deepcopy(visible(subject))}
        if previous is not None:
            data["previous_attributes"] = copy.deepcopy(previous)
        event = self.add(
            "evt",
            "event",
            {
                "api_version": API_VERSION,
                "data": data,
                "pending_webhooks": 0,
                "request": {"id": self.request.id, "idempotency_key": self.request.idempotency_key},
                "type": kind,
            },
        )
        for listener in self.listeners:
            listener(event)

    def change(self, subject: Object, kind: str, **fields: Any) -> None:
        """Set fields and tell of it, with what they were before; nothing changed, nothing told."""
        previous = {name: subject.get(name) for name, value in fields.items() if subject.get(name) != value}
        if previous:
            subject.update(fields)
            self.emit(kind, subject, previous)

    def _act(self) -> None:
        due = heapq.heappop(self._agenda)
        with self.mode_of(due.live):
            due.act()
