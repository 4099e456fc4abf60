"""Endings the books could not take: an operator lists them, books them again, or writes them off.

Every action is in the audit trail, with what the ending said, since it is kept nowhere else after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.domain.money import usd
from monkey_coder_server.ports.accounts import Audit, AuditEntry
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import Settlement
from monkey_coder_server.ports.unbooked import KeptEnding, Unbooked

ACTOR = "operator"


@dataclass(frozen=True, slots=True)
class Means:
    """What this stands on."""

    unbooked: Unbooked
    audit: Audit
    clock: Clock


async def listed(means: Means) -> list[str]:
    """A line for each, oldest first."""
    kept = await means.unbooked.kept()
    return [_line(each) for each in kept] or ["every ending that was shipped is in the books"]


async def retry(means: Means, request_id: str | None) -> tuple[list[str], bool]:
    """Book one, or all for None, as they were told: a line each, and whether all are booked. Raises `NotFound`."""
    lines, all_booked = [], True
    for each in _chosen(await means.unbooked.kept(), request_id):
        try:
            await means.unbooked.retry(each.request_id)
        except Conflict as refused:
            lines.append(refused.message)
            all_booked = False
            continue
        await _record(means, "unbooked.retry", each, "booked")
        lines.append(f"{each.request_id} is booked")
    return lines or ["there is nothing to book"], all_booked


async def write_off(means: Means, request_id: str, reason: str) -> str:
    """End a request without a charge; the line that says so. Raises `NotFound`."""
    [each] = _chosen(await means.unbooked.kept(), request_id)
    booked = await means.unbooked.write_off(request_id)
    cost = each.resolved.ending.provider_cost if each.resolved is not None else 0
    if booked:
        came = f"charged nothing; its cost of {usd(max(cost, 0))} USD is the house's loss"
    else:
        came = "dropped; the books can take nothing of it"
    await _record(means, "unbooked.write_off", each, f"{came}; {reason}")
    return f"{request_id} is {came}" if not booked else f"{request_id} was {came}"


def _chosen(kept: Sequence[KeptEnding], request_id: str | None) -> Sequence[KeptEnding]:
    found = [each for each in kept if request_id in {None, each.request_id}]
    if request_id is not None and not found:
        message = f"There is no ending of {request_id} that waits to be booked."
        raise NotFound(message)
    return found


async def _record(means: Means, action: str, each: KeptEnding, came: str) -> None:
    details = f"{each.request_id}: {came}; it said: {_told(each)}; it was refused: {each.reason}"
    await means.audit.record(
        AuditEntry(
            ACTOR, action, target=each.account_id, at=means.clock.now(), account_id=each.account_id, details=details
        )
    )


def _line(each: KeptEnding) -> str:
    return f"{each.request_id}  {each.account_id}  {each.at:%Y-%m-%d %H:%M} UTC  {_told(each)}; {each.reason}"


def _told(each: KeptEnding) -> str:
    """What an ending said, in words."""
    if each.resolved is None:
        return "what cannot be read any more"
    ending = each.resolved.ending
    served = isinstance(ending, Settlement)
    made = f"{ending.provider or 'nobody'}/{ending.model or '-'}"
    return (
        f"{'served' if served else 'failed'} by {made}, charged {usd(each.resolved.charged)} USD "
        f"at a cost of {usd(ending.provider_cost)} USD"
    )
