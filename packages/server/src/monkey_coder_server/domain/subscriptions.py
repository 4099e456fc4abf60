"""Until when a subscription keeps an account on its plan."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monkey_coder_server.domain.plans import PlanSpan

GRACE = timedelta(days=7)
"""How long a plan goes on after its fee was due: for renewals told late, and for fees that cannot be charged."""
_RUNNING = frozenset({"active", "trialing"})
_OWING = frozenset({"past_due", "unpaid"})
_ENDED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A plan somebody pays for each month. `state` is the processor's word; `paid_until` what fees were seen for."""

    subscription_id: str
    account_id: str
    plan_id: str
    state: str
    period_start: datetime
    period_end: datetime
    ends_with_period: bool
    paid_until: datetime | None = None

    @property
    def live(self) -> bool:
        """Whether it goes on asking for fees."""
        return self.state in _RUNNING | _OWING

    def until(self, now: datetime) -> datetime:
        """When its plan ends, as it stands; `now` at the earliest."""
        if self.state in _RUNNING:
            end = self.period_end if self.ends_with_period else self.period_end + GRACE
        elif self.state in _OWING:
            end = self.period_start + GRACE
        else:
            end = self.paid_until or now
        return max(end, now)

    def span(self, now: datetime) -> PlanSpan:
        """What the account's history is brought to."""
        return PlanSpan(plan_id=self.plan_id, starts_at=now, ends_at=self.until(now), source=self.subscription_id)


def merge(known: Subscription, seen: Subscription) -> Subscription:
    """After one more sight, which may be an old one: what ended stays so, and no earlier period comes back."""
    newest = known if known.state == _ENDED or seen.period_start < known.period_start else seen
    paid = [each for each in (known.paid_until, seen.paid_until) if each is not None]
    return replace(newest, paid_until=max(paid, default=None))


def included_until(period_end: datetime, now: datetime) -> datetime:
    """When credit ends that a fee gives: with its month, or after the grace where the fee is seen later than that."""
    return period_end if period_end > now else now + GRACE
