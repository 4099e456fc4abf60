"""Organizations: accounts that several people act for, each in a role."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.roles import Role


@dataclass(frozen=True, slots=True)
class Membership:
    """What a person is in an organization. Nobody has one in their own account: there they are the owner."""

    account_id: str
    user_id: str
    role: Role
    created_at: datetime


class Memberships(Protocol):
    """Who belongs to which organization."""

    async def find(self, account_id: str, user_id: str) -> Membership | None:
        """What a person is in an organization; None for who is no member, and for no organization."""
