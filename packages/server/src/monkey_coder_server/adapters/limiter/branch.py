"""This process's branch of the bank: its parts of every limit, and what it says and hears of them."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from monkey_coder_server.adapters.limiter.bank import FORGET, MOST_RECALLED, Answer, Bank, Entry
from monkey_coder_server.domain.quota import Contact, Part, contact, first_share, shares_equally
from monkey_coder_server.domain.rates import Measure
from monkey_coder_server.ports.shared_store import StoreAway

BEAT_SECONDS = 0.1
"""How often the bank hears of this process, and this process what others are short of."""
SWEEP_BEATS = 50
MOST_ENTRIES = 400
"""Of one call."""
IDLE_SECONDS = 120.0


class Branch:
    """`monotonic` in seconds. Calls go to the bank one after the other; who comes meanwhile shares the next."""

    def __init__(self, bank: Bank, monotonic: Callable[[], float]) -> None:
        self.parts: dict[str, Part] = {}
        self.young = False
        """Whether the bank only listens for now."""
        self.peers = 0
        """How many processes there were when the bank last said so; 0 before it ever did."""
        self.contact = Contact.HELD
        self._bank = bank
        self._monotonic = monotonic
        self._heard_at = monotonic()
        self._born = 0
        self._beats = 0
        self._counted_on = 0
        """How many peers the first shares were made with that the bank was not told of yet."""
        self._informed = False
        """Whether this process has heard of every limit that others hold parts in."""
        self._ready = False
        """Whether the bank knows that, and keeps back first shares for this process."""
        self._unsaid: dict[str, Part] = {}
        self._calling = asyncio.Lock()
        self._next: asyncio.Task[bool] | None = None
        self._beating: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to beat."""
        await self.ask(())
        self._beating = asyncio.create_task(self._keep_beating())

    async def stop(self) -> None:
        """Give back what is not used, and beat no more. What was used counts until its minute is over."""
        if self._beating is not None:
            self._beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beating
        self._informed, now = False, self._monotonic()
        for part in self.parts.values():
            part.free(now)
            part.held = min(part.held, part.used)
        self._unsaid.update(self.parts)
        while self._unsaid and await self.ask(()):
            pass

    def tell(self, part: Part) -> None:
        """Let the bank know with the next beat that this process has a part in a limit."""
        self._unsaid[part.subject] = part

    def share(self, measure: Measure, allowed: int) -> int:
        """The part in a limit this process has not met yet; none while others do not reckon with this process."""
        if self._ready and shares_equally(self.contact, measure):
            return allowed // self.peers
        if self.peers and not self._ready:
            return 0
        return first_share(allowed, self.peers)

    async def ask(self, parts: Iterable[Part]) -> bool:
        """Say what is held and wanted of these, with whatever else is to be said. Whether the bank answered."""
        for part in parts:
            self._unsaid[part.subject] = part
        if self._next is None:
            self._next = asyncio.create_task(self._call())
        return await asyncio.shield(self._next)

    async def _call(self) -> bool:
        async with self._calling:
            self._next = None
            if len(self._unsaid) <= MOST_ENTRIES:
                self._counted_on = self.peers
            said = [self._unsaid.pop(subject) for subject in list(self._unsaid)[:MOST_ENTRIES]]
            now = self._monotonic()
            entries = [Entry(part.subject, part.allowed, part.held, *self._wanted(part, now)) for part in said]
            before, informed = [part.held for part in said], self._informed
            try:
                answer = await self._bank.settle(entries, peers=self._counted_on, ready=informed)
            except StoreAway:
                answer = None
            if answer is None or len(answer.parts) != len(said):
                self._unsaid.update({part.subject: part for part in said if part.subject not in self._unsaid})
                return False
            self._hear(answer, said, before)
            self._ready = informed and self._informed and len(answer.recalled) < MOST_RECALLED
            return True

    def _wanted(self, part: Part, now: float) -> tuple[int, int]:
        """What is wanted is asked for once, and with it, while nobody is short, enough to go on without the bank.

        A part nobody uses is given up.
        """
        if part.want == FORGET:
            part.held = 0
            return FORGET, 0
        want, part.want = part.want, 0
        if want <= part.held:
            return part.held, 0
        return want, 0 if part.contested(now) else first_share(part.allowed, self.peers)

    def _hear(self, answer: Answer, said: list[Part], before: list[int]) -> None:
        for part, held, (new, spare) in zip(said, before, answer.parts, strict=True):
            if new == FORGET:
                if part.subject not in self._unsaid:
                    del self.parts[part.subject]
                continue
            part.held += max(0, new - held)
            part.spare = spare
            if part.want == FORGET:
                part.want = 0
        now = self._monotonic()
        only_says = answer.young and self.peers > 0 and self.contact <= Contact.SHRUNK
        self.young = answer.young
        self.peers = max(self.peers, answer.peers) if answer.young else answer.peers
        if answer.born != self._born or self.contact is not Contact.HELD:
            self._unsaid.update(self.parts)
        if self.contact is not Contact.HELD:
            self._informed, self.contact = False, Contact.HELD
            for part in self.parts.values():
                part.turn(Contact.HELD, self.peers, now)
        self._heard_at, self._born = now, answer.born
        for subject in answer.recalled:
            self._recall(subject, now, yields=not only_says)
        new_here = answer.young or not answer.known or answer.recalled or self._unsaid
        self._informed = self._informed or not new_here

    def _recall(self, subject: str, now: float, *, yields: bool) -> None:
        """Others are short of a limit: give up what is not needed of it, also what was never asked for.

        A bank that has forgotten everything is short of nothing: it asks what is held, and is told.
        """
        part = self.parts.get(subject)
        if part is None:
            part = self.parts[subject] = Part(subject, Measure(subject.partition(":")[0]), 0, 0)
            part.asked_at = now
        elif yields:
            part.yield_up(now, self.peers)
        self._unsaid[subject] = part

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(0 if len(self._unsaid) >= MOST_ENTRIES else BEAT_SECONDS)
            await self.beat()

    async def beat(self) -> None:
        """Say what is to be said, hear what others are short of, and do what a bank that stays away asks for."""
        if await self.ask(()) and self._unsaid:
            await self.ask(())  # what others are short of is given up at once
        now = self._monotonic()
        self._turn(contact(now - self._heard_at))
        self._beats += 1
        if self._beats % SWEEP_BEATS == 0 and self.contact is Contact.HELD:
            for part in list(self.parts.values()):
                if part.idle(now, IDLE_SECONDS):
                    part.want = FORGET
                    self._unsaid[part.subject] = part

    def _turn(self, standing: Contact) -> None:
        """What changes with a bank that stays away."""
        if standing is self.contact or self._calling.locked():
            return
        self.contact = standing
        if self.peers:
            at_most = standing if self._ready else min(standing, Contact.SHRUNK)
            for part in self.parts.values():
                part.turn(at_most, self.peers, self._monotonic())
