"""Automatic top-ups: a saved card is charged when a balance fell, with nobody there.

A payment is begun in the books first, under a number that is its name at the processor. Whatever happens to this
process or to an answer, it is asked for again under the same name until its end is known.
"""

import logging
from dataclasses import replace
from datetime import timedelta

from monkey_coder_server.domain.errors import PaymentRefused, Unavailable
from monkey_coder_server.domain.payments import PaymentSeen, PaymentState, Purpose
from monkey_coder_server.domain.top_ups import TopUpStanding, TopUpState
from monkey_coder_server.features.billing.buying import notices
from monkey_coder_server.features.billing.buying.amounts import cents_usd
from monkey_coder_server.features.billing.buying.customers import seen_of
from monkey_coder_server.features.billing.buying.dependencies import Dependencies
from monkey_coder_server.features.billing.buying.trail import note_by_itself
from monkey_coder_server.ports.payments import OffSessionCharge, PaymentGate
from monkey_coder_server.ports.top_ups import TopUpCharge

logger = logging.getLogger(__name__)
AT_ONCE = 20
"""Accounts looked at in one round: the next round follows in seconds."""
FROZEN_PAUSE = timedelta(minutes=10)
KEY_FORGOTTEN = timedelta(hours=23)
"""The processor remembers a key for a day; after that a payment is looked up by what we wrote on it."""
NO_CARD = "no card is saved"
ASKS = "authentication_required"
"""What the processor says when the bank wants its customer."""


class ToppingUp:
    """One process's part of it; all processes do it, and each payment is one process's for a minute."""

    def __init__(self, use: Dependencies, gate: PaymentGate) -> None:
        self._use = use
        self._gate = gate

    async def run(self) -> int:
        """Ask for the ends of payments under way, then begin those that are due; how many began.

        Raises `Unavailable` of the books.
        """
        use, now = self._use, self._use.clock.now()
        for charge in await use.top_ups.take_open(now, most=AT_ONCE):
            await self._step(charge)
        begun = 0
        for account_id in await use.top_ups.due(now, most=AT_ONCE):
            if (await use.books.standing(account_id)).frozen:
                await use.top_ups.postpone(account_id, now + FROZEN_PAUSE)
                continue
            begin = await use.top_ups.begin(account_id, now)
            if begin is not None:
                begun += 1
                await self._step(begin)
        return begun

    async def _step(self, charge: TopUpCharge) -> None:
        try:
            seen = await self._seen(charge)
            if seen is not None and seen.state is PaymentState.NEEDS_ACTION:
                seen = await self._ended(charge, seen)
        except Unavailable as away:
            logger.info("a top-up waits for the payment processor: %s", away.message)
            return
        except PaymentRefused as refused:
            await self._failed(charge, refused.facts.get("refusal", "the payment was refused"))
            return
        await (self._failed(charge, NO_CARD) if seen is None else self._saw(charge, seen))

    async def _seen(self, charge: TopUpCharge) -> PaymentSeen | None:
        """The payment as it stands; made if it is not there. None when there is no card to charge."""
        if charge.payment_id:
            return await self._gate.payment(charge.payment_id)
        late = self._use.clock.now() - charge.at > KEY_FORGOTTEN
        if late and (made := await self._made_before(charge)) is not None:
            return made
        try:
            return await self._charged(charge)
        except PaymentRefused:
            made = await self._made_before(charge)
            if made is None:
                raise
            return made

    async def _made_before(self, charge: TopUpCharge) -> PaymentSeen | None:
        return await self._gate.find_payment(_written_on(charge), since=charge.at - timedelta(hours=1))

    async def _charged(self, charge: TopUpCharge) -> PaymentSeen | None:
        """The payment under its name. An earlier try may have made it before the card was taken away or changed."""
        customer = await seen_of(self._use, charge.account_id)
        if customer is None or customer.card is None:
            return await self._made_before(charge)
        wish = OffSessionCharge(
            customer.customer_id,
            charge.account_id,
            customer.card.method_id,
            Purpose.TOP_UP,
            charge.cents,
            f"Automatic top-up: credit for {cents_usd(charge.cents)} USD",
            charge.key,
        )
        return await self._gate.charge(wish, key=charge.key)

    async def _saw(self, charge: TopUpCharge, seen: PaymentSeen) -> None:
        if not charge.payment_id:
            await self._use.top_ups.name(charge, seen.payment_id)
        await self._use.books.book(seen)
        if seen.state is PaymentState.SUCCEEDED:
            if await self._use.top_ups.succeed(charge) is not None:
                await self._note("top_up.charge", charge, f"{cents_usd(charge.cents)} USD")
        elif seen.state is PaymentState.NEEDS_ACTION or seen.failure == ASKS:
            await self._failed(charge, "the bank wants you to confirm it", asks=True)
        elif seen.state is PaymentState.FAILED:
            await self._failed(charge, seen.failure or "the card was declined")

    async def _ended(self, charge: TopUpCharge, seen: PaymentSeen) -> PaymentSeen:
        """Its customer pays by another one, so this one is ended: it may have been received in the meantime."""
        ended = await self._gate.cancel_payment(seen.payment_id, key=f"{charge.key}:cancel")
        if ended is None or ended.state is PaymentState.SUCCEEDED:
            return ended or seen
        return replace(ended, failure=ended.failure or ASKS)

    async def _failed(self, charge: TopUpCharge, why: str, *, asks: bool = False) -> None:
        standing = await self._use.top_ups.fail(charge, why, self._use.clock.now())
        if standing is None:
            return  # another process noted it and wrote
        await self._note("top_up.fail", charge, _told(charge, standing))
        written = notices.needs_you if asks else notices.declined
        await notices.write(self._use, charge.account_id, written(standing, charge.cents))

    async def _note(self, action: str, charge: TopUpCharge, details: str) -> None:
        await note_by_itself(self._use, action, account_id=charge.account_id, details=details)


def _written_on(charge: TopUpCharge) -> dict[str, str]:
    return {"account_id": charge.account_id, "reference": charge.key}


def _told(charge: TopUpCharge, standing: TopUpStanding) -> str:
    off = ", switched off" if standing.state is TopUpState.OFF else ""
    return f"{cents_usd(charge.cents)} USD, {standing.strikes} in a row{off}: {standing.last_failure}"
