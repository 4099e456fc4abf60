"""Organizations: accounts that several people act for, each in a role."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.roles import Role
from monkey_coder_server.ports.accounts import User


@dataclass(frozen=True, slots=True)
class Membership:
    """What a person is in an organization. Nobody has one in their own account: there they are the owner.

    `second_factor_required`: the organization wants one of whoever acts for it.
    """

    account_id: str
    user_id: str
    role: Role
    created_at: datetime
    second_factor_required: bool = False


@dataclass(frozen=True, slots=True)
class Organization:
    """An account that is nobody's own. `second_factor_required`: its people act for it with a second factor only."""

    account_id: str
    name: str
    created_at: datetime
    second_factor_required: bool = False
    archived_at: datetime | None = None
    """When it was deleted; nobody belongs to it any more."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of an organization, and what they are in it."""

    user: User
    membership: Membership


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of a member: another role, or None for leaving.

    `by` are the scopes of who wants it; None where it is the member.
    """

    account_id: str
    user_id: str
    role: Role | None
    at: datetime
    by: frozenset[str] | None = None


class Memberships(Protocol):
    """Who belongs to which organization."""

    async def find(self, account_id: str, user_id: str) -> Membership | None:
        """What a person is in an organization; None for who is no member, and for no organization."""


class Organizations(Protocol):
    """Organizations with their people. Each change is whole: an organization never is without an owner."""

    async def create(self, organization: Organization, owner: Membership, *, most: int | None = None) -> None:
        """Store an organization with its first member. Raises `Conflict` when they belong to `most`."""

    async def find(self, account_id: str) -> Organization | None:
        """The organization of an account, deleted ones included; None for an account that is a person's own."""

    async def of_user(self, user_id: str) -> Sequence[tuple[Organization, Membership]]:
        """The organizations somebody belongs to, oldest first."""

    async def update(self, organization: Organization) -> bool:
        """Store what is changed of an organization; False when there is none."""

    async def members(self, account_id: str) -> Sequence[Member]:
        """Everybody in an organization, oldest first."""

    async def add(self, membership: Membership, *, most: int | None = None) -> None:
        """Take somebody in. Raises `NotFound` when it is deleted, `Conflict` when they are in it or it has `most`."""

    async def add_service(self, user: User, membership: Membership, *, most: int | None = None) -> None:
        """Make a user who cannot log in, in an organization. Raises `Conflict` when it has `most` members."""

    async def change(self, change: Change) -> None:
        """Give a member another role, or take them out; their keys lose with it what they may not do any more.

        Raises `NotFound`, `Forbidden` when `by` does not cover the role they have, `Conflict` for the last owner.
        """

    async def archive(self, account_id: str, at: datetime, *, invitations: str) -> int:
        """Delete an organization for all but the books: nobody belongs to it, and its keys are revoked. How many keys.

        `invitations` is the purpose of the tickets that invite to it. Raises `NotFound`, `Conflict` while its wallet
        has credit or anything is held of it.
        """
