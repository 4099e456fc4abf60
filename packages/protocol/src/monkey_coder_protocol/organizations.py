"""Organizations and their people (`/v1/organizations`, `/v1/invitations`). Times are RFC 3339 UTC."""

import msgspec

from monkey_coder_protocol.billing import LimitStanding


class CreateOrganization(msgspec.Struct, kw_only=True):
    """A new organization; who makes it is its first owner."""

    name: str


class ChangeOrganization(msgspec.Struct, kw_only=True):
    """What is left out stays as it is. `second_factor_required`: nobody acts for it without one."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    second_factor_required: bool | msgspec.UnsetType = msgspec.UNSET


class OrganizationInfo(msgspec.Struct, kw_only=True):
    """An organization as one of its people sees it. `organization_id` goes into the header `x-mk-organization`."""

    organization_id: str
    name: str
    role: str
    second_factor_required: bool
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


class CreateTeam(msgspec.Struct, kw_only=True):
    """Some projects under one roof."""

    name: str


class TeamInfo(msgspec.Struct, kw_only=True):
    """A team of an organization."""

    team_id: str
    name: str
    created_at: str


class ChangeTeam(msgspec.Struct, kw_only=True):
    """Another name for a team."""

    name: str


class TeamList(msgspec.Struct):
    """`GET /v1/organizations/{organization_id}/teams`."""

    teams: list[TeamInfo]
    count: int


class CreateProject(msgspec.Struct, kw_only=True):
    """What keys are made for, of a team or of none, for good. Its id is letters, digits, dots, hyphens, underscores.

    `name` is what people call it, its id when left out.
    """

    project_id: str
    team_id: str | None = None
    name: str | None = None


class ChangeProject(msgspec.Struct, kw_only=True):
    """Another name for a project; its id, which keys and usage name, stays."""

    name: str


class ProjectInfo(msgspec.Struct, kw_only=True):
    """A project of an organization."""

    project_id: str
    name: str
    team_id: str | None
    created_at: str


class ProjectList(msgspec.Struct):
    """`GET /v1/organizations/{organization_id}/projects`."""

    projects: list[ProjectInfo]
    count: int


class SetLimit(msgspec.Struct, kw_only=True):
    """A limit of the `organization`, a `team`, a `project` or a `key`, per `day`, `month` or in `total`.

    It is in USD (decimal text) or in tokens; without either the limits of that holder, period and model are taken back.
    `model` (`provider/model`) narrows it to what one model costs.
    """

    holder: str
    period: str
    holder_id: str | None = None
    usd: str | None = None
    tokens: int | None = None
    model: str | None = None


class LimitList(msgspec.Struct):
    """Limits as they stand."""

    limits: list[LimitStanding]
    count: int


class SetRate(msgspec.Struct, kw_only=True):
    """Rates of the `organization`, a `team`, a `project` or a `key`: requests and tokens a minute, requests at once.

    What is not sent stays, null takes a rate back. `model` (`provider/model`) narrows them to requests for one model.
    """

    holder: str
    holder_id: str | None = None
    model: str | None = None
    requests: int | msgspec.UnsetType | None = msgspec.UNSET
    tokens: int | msgspec.UnsetType | None = msgspec.UNSET
    concurrency: int | msgspec.UnsetType | None = msgspec.UNSET


class RateInfo(msgspec.Struct, kw_only=True):
    """At most so many of a `measure`: `requests` or `tokens` a minute, or `concurrency`, requests at once.

    `holder` is whose it is: `gateway` for all callers together, `address` for one network address, or `account`,
    `organization`, `team`, `project` or `key`. `source` is who says so: `setting`, named in `setting`, `operator` for
    an account, else the kind of its holder. `tightest`: none on the same measure and model allows less.
    """

    measure: str
    limit: int
    holder: str
    holder_id: str
    source: str
    model: str | None
    setting: str | None = None
    tightest: bool = False


class RateList(msgspec.Struct):
    """`GET /v1/organizations/{organization_id}/rates`."""

    rates: list[RateInfo]
    count: int


class SetModelRule(msgspec.Struct, kw_only=True):
    """What the `organization`, a `team`, a `project` or a `key` says about models, in place of what it said before.

    Names are `provider/model`, a bare model, or `provider/*`. Without `allow` all are allowed but for those of `deny`.
    `collapse` is how several models are asked for one answer where a request says nothing, as `POST /v1/keys` takes it:
    a key's goes before its project's, that before its team's, and the organization's comes last.

    `max_input_usd` and `max_output_usd` (decimal text) are what a million tokens may cost at most, markup included, in
    the dearest tier. `capabilities` are what a model must be able to do, as `GET /v1/models` names them;
    `data_policies` what its provider must be known for, as `GET /v1/providers` does: what is unknown is not fulfilled.
    """

    holder: str
    holder_id: str | None = None
    allow: list[str] | None = None
    deny: list[str] = []
    collapse: str | None = None
    max_input_usd: str | None = None
    max_output_usd: str | None = None
    capabilities: list[str] = []
    data_policies: list[str] = []


class ModelRuleInfo(msgspec.Struct, kw_only=True):
    """One rule on models, and whose it is. `source` is the kind of its holder, `operator` for an account."""

    holder: str
    holder_id: str
    source: str = ""
    allow: list[str] | None
    deny: list[str]
    collapse: str | None
    max_input_usd: str | None = None
    max_output_usd: str | None = None
    capabilities: list[str] = []
    data_policies: list[str] = []


class ModelRuleList(msgspec.Struct):
    """`GET /v1/organizations/{organization_id}/model-rules`."""

    rules: list[ModelRuleInfo]
    count: int


class ExcludedModel(msgspec.Struct, kw_only=True):
    """A model on offer that may not be used: by whose rule, which part of it, and why in words."""

    model: str
    rule: str
    holder: str
    holder_id: str
    source: str
    reason: str


class KeyPolicy(msgspec.Struct, kw_only=True):
    """What counts for one key, each with where it comes from, the widest first.

    All of it counts together. `rates` are bounded per minute or at a time, `limits` are on what is spent; `tightest`
    are of all limits on the same thing those with the least left. `models` are the models on offer that every rule
    permits, `excluded` the others, and `collapse` how several are asked for one answer where a request says nothing.
    Of a person, or a project, `key_id` is null.
    """

    key_id: str | None
    account_id: str = ""
    plan: str = ""
    scopes: list[str]
    team_id: str | None
    project_id: str | None
    rates: list[RateInfo] = []
    limits: list[LimitStanding]
    tightest: list[LimitStanding]
    rules: list[ModelRuleInfo]
    models: list[str]
    excluded: list[ExcludedModel] = []
    collapse: str | None
