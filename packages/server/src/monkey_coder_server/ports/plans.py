"""Plans and the accounts on them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.plans import Plan, PlanSpan


class Plans(Protocol):
    """What the operator wrote. Raises `Unavailable`."""

    async def every(self) -> Sequence[Plan]:
        """All plans, the prepaid one first, retired ones included."""

    async def put(self, plan: Plan) -> None:
        """Write a plan in place of the one of its id."""


class AccountPlans(Protocol):
    """Who is on which plan. `standing` reads memory; changes of other processes are seen within ten seconds."""

    def standing(self, account_id: str, at: datetime) -> str:
        """The plan of an account at a moment, as known here."""

    async def history(self, account_id: str) -> Sequence[PlanSpan]:
        """Every span of an account, oldest first."""

    async def change(
        self, account_id: str, edit: Callable[[Sequence[PlanSpan]], Sequence[PlanSpan]]
    ) -> Sequence[PlanSpan]:
        """Store what `edit` makes of an account's history, seen at once here; the history after it.

        Raises `NotFound` without such an account.
        """
