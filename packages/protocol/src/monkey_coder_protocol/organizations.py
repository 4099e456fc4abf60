"""Organizations and their people (`/v1/organizations`, `/v1/invitations`). Times are RFC 3339 UTC."""

import msgspec


class CreateOrganization(msgspec.Struct, kw_only=True):
    """A new organization; who makes it is its first owner."""

    name: str


class ChangeOrganization(msgspec.Struct, kw_only=True):
    """What is left out stays as it is."""

    name: str | msgspec.UnsetType = msgspec.UNSET


class OrganizationInfo(msgspec.Struct, kw_only=True):
    """An organization as one of its people sees it. `organization_id` goes into the header `x-mk-organization`."""

    organization_id: str
    name: str
    role: str
    created_at: str


class OrganizationList(msgspec.Struct):
    """`GET /v1/organizations`."""

    organizations: list[OrganizationInfo]
    count: int


class MemberInfo(msgspec.Struct, kw_only=True):
    """Somebody of an organization; a service account has keys and no log-in."""

    user_id: str
    email: str | None
    name: str
    role: str
    service_account: bool
    joined_at: str


class MemberList(msgspec.Struct):
    """`GET /v1/organizations/{organization_id}/members`."""

    members: list[MemberInfo]
    count: int


class ChangeMember(msgspec.Struct, kw_only=True):
    """Another role: `owner`, `admin`, `billing`, `developer` or `viewer`."""

    role: str


class CreateServiceAccount(msgspec.Struct, kw_only=True):
    """A user for machines: no log-in, keys only, which `POST /v1/keys` makes with its id as `service_account`."""

    name: str
    role: str


class Invite(msgspec.Struct, kw_only=True):
    """Whom to invite by mail, and in which role."""

    email: str
    role: str


class InvitationInfo(msgspec.Struct, kw_only=True):
    """An invitation that nobody has answered yet."""

    invitation_id: str
    email: str
    role: str
    invited_by: str
    expires_at: str


class InvitationList(msgspec.Struct):
    """`GET /v1/organizations/{organization_id}/invitations`."""

    invitations: list[InvitationInfo]
    count: int


class InvitationAnswer(msgspec.Struct, kw_only=True):
    """`token` as the mail gave it: it is good once, for who has the invited address."""

    token: str
