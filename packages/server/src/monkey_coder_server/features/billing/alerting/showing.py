"""Deliveries as they are shown."""

from monkey_coder_protocol import alerts as wire
from monkey_coder_server.features.billing.alerting.dependencies import Dependencies
from monkey_coder_server.ports.notices import Delivery, DeliveryState

MOST = 100
"""Deliveries that are listed."""


async def shown_deliveries(use: Dependencies, account_id: str, target: str | None = None) -> wire.DeliveryList:
    """The newest deliveries of an account, or those to one target."""
    found = await use.outbox.deliveries(account_id, target, most=MOST)
    return wire.DeliveryList([_shown(each) for each in found], len(found))


def _shown(delivery: Delivery) -> wire.Delivery:
    notice, waits = delivery.notice, delivery.state is DeliveryState.WAITING
    return wire.Delivery(
        event_id=notice.notice_id,
        kind=notice.kind,
        channel=delivery.channel.value,
        to=delivery.target,
        state=delivery.state.value,
        tries=delivery.tries,
        next_try_at=delivery.next_at.isoformat() if waits else None,
        at=notice.at.isoformat(),
        note=delivery.note,
    )
