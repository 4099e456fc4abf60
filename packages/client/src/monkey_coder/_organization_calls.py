"""Calls of `/v1/organizations` and `/v1/invitations`. Pure: nothing is sent."""

from typing import TypeVar
from urllib.parse import quote as escape

import msgspec

from monkey_coder import _responses
from monkey_coder._factors import CONFIRMATION_HEADER
from monkey_coder._requests import Call, Request
from monkey_coder_protocol import auth
from monkey_coder_protocol import organizations as wire

T = TypeVar("T")
ORGANIZATION_HEADER = "x-mk-organization"
_ALL = "/v1/organizations"


def list_mine() -> Call[wire.OrganizationList]:
    """`GET /v1/organizations`."""
    return _call("GET", _ALL, wire.OrganizationList)


def create(name: str) -> Call[wire.OrganizationInfo]:
    """`POST /v1/organizations`."""
    return _call("POST", _ALL, wire.OrganizationInfo, wire.CreateOrganization(name=name))


def get(organization_id: str) -> Call[wire.OrganizationInfo]:
    """`GET /v1/organizations/{organization_id}`."""
    return _call("GET", _path(organization_id), wire.OrganizationInfo)


def change(organization_id: str, changes: wire.ChangeOrganization) -> Call[wire.OrganizationInfo]:
    """`PATCH /v1/organizations/{organization_id}`."""
    return _call("PATCH", _path(organization_id), wire.OrganizationInfo, changes)


def delete(organization_id: str, confirmation: str | None) -> Call[auth.Message]:
    """`DELETE /v1/organizations/{organization_id}`."""
    return _deletion(_path(organization_id), confirmation)


def leave(organization_id: str) -> Call[auth.Message]:
    """`POST …/leave`."""
    return _call("POST", _path(organization_id, "leave"), auth.Message)


def members(organization_id: str) -> Call[wire.MemberList]:
    """`GET …/members`."""
    return _call("GET", _path(organization_id, "members"), wire.MemberList)


def change_member(organization_id: str, user_id: str, role: str) -> Call[auth.Message]:
    """`PATCH …/members/{user_id}`."""
    return _call("PATCH", _path(organization_id, "members", user_id), auth.Message, wire.ChangeMember(role=role))


def remove_member(organization_id: str, user_id: str) -> Call[auth.Message]:
    """`DELETE …/members/{user_id}`."""
    return _call("DELETE", _path(organization_id, "members", user_id), auth.Message)


def create_service_account(organization_id: str, name: str, role: str) -> Call[wire.MemberInfo]:
    """`POST …/service-accounts`."""
    body = wire.CreateServiceAccount(name=name, role=role)
    return _call("POST", _path(organization_id, "service-accounts"), wire.MemberInfo, body)


def create_key(organization_id: str, key: str | auth.CreateKeyRequest) -> Call[auth.CreatedKey]:
    """`POST /v1/keys` for the organization."""
    body = auth.CreateKeyRequest(name=key) if isinstance(key, str) else key
    headers = {ORGANIZATION_HEADER: organization_id}
    return _call("POST", "/v1/keys", auth.CreatedKey, body, headers=headers)


def policy(organization_id: str, key_id: str) -> Call[wire.KeyPolicy]:
    """`GET /v1/keys/{key_id}/policy` for the organization."""
    path = f"/v1/keys/{escape(key_id, safe='')}/policy"
    return _call("GET", path, wire.KeyPolicy, headers={ORGANIZATION_HEADER: organization_id})


def invitations(organization_id: str) -> Call[wire.InvitationList]:
    """`GET …/invitations`."""
    return _call("GET", _path(organization_id, "invitations"), wire.InvitationList)


def invite(organization_id: str, email: str, role: str) -> Call[wire.InvitationInfo]:
    """`POST …/invitations`."""
    body = wire.Invite(email=email, role=role)
    return _call("POST", _path(organization_id, "invitations"), wire.InvitationInfo, body)


def withdraw(organization_id: str, invitation_id: str) -> Call[auth.Message]:
    """`DELETE …/invitations/{invitation_id}`."""
    return _call("DELETE", _path(organization_id, "invitations", invitation_id), auth.Message)


def answer(word: str, token: str) -> Call[auth.Message]:
    """`POST /v1/invitations/accept` or `/decline`."""
    return _call("POST", f"/v1/invitations/{word}", auth.Message, wire.InvitationAnswer(token=token))


def teams(organization_id: str) -> Call[wire.TeamList]:
    """`GET …/teams`."""
    return _call("GET", _path(organization_id, "teams"), wire.TeamList)


def create_team(organization_id: str, name: str) -> Call[wire.TeamInfo]:
    """`POST …/teams`."""
    return _call("POST", _path(organization_id, "teams"), wire.TeamInfo, wire.CreateTeam(name=name))


def rename_team(organization_id: str, team_id: str, name: str) -> Call[wire.TeamInfo]:
    """`PATCH …/teams/{team_id}`."""
    return _call("PATCH", _path(organization_id, "teams", team_id), wire.TeamInfo, wire.ChangeTeam(name=name))


def delete_team(organization_id: str, team_id: str, confirmation: str | None) -> Call[auth.Message]:
    """`DELETE …/teams/{team_id}`."""
    return _deletion(_path(organization_id, "teams", team_id), confirmation)


def projects(organization_id: str) -> Call[wire.ProjectList]:
    """`GET …/projects`."""
    return _call("GET", _path(organization_id, "projects"), wire.ProjectList)


def create_project(organization_id: str, project: str | wire.CreateProject) -> Call[wire.ProjectInfo]:
    """`POST …/projects`."""
    body = wire.CreateProject(project_id=project) if isinstance(project, str) else project
    return _call("POST", _path(organization_id, "projects"), wire.ProjectInfo, body)


def rename_project(organization_id: str, project_id: str, name: str) -> Call[wire.ProjectInfo]:
    """`PATCH …/projects/{project_id}`."""
    path = _path(organization_id, "projects", project_id)
    return _call("PATCH", path, wire.ProjectInfo, wire.ChangeProject(name=name))


def delete_project(organization_id: str, project_id: str, confirmation: str | None) -> Call[auth.Message]:
    """`DELETE …/projects/{project_id}`."""
    return _deletion(_path(organization_id, "projects", project_id), confirmation)


def limits(organization_id: str) -> Call[wire.LimitList]:
    """`GET …/limits`."""
    return _call("GET", _path(organization_id, "limits"), wire.LimitList)


def set_limit(organization_id: str, limit: wire.SetLimit) -> Call[wire.LimitList]:
    """`PUT …/limits`."""
    return _call("PUT", _path(organization_id, "limits"), wire.LimitList, limit)


def rates(organization_id: str) -> Call[wire.RateList]:
    """`GET …/rates`."""
    return _call("GET", _path(organization_id, "rates"), wire.RateList)


def set_rates(organization_id: str, rate: wire.SetRate) -> Call[wire.RateList]:
    """`PUT …/rates`."""
    return _call("PUT", _path(organization_id, "rates"), wire.RateList, rate)


def model_rules(organization_id: str) -> Call[wire.ModelRuleList]:
    """`GET …/model-rules`."""
    return _call("GET", _path(organization_id, "model-rules"), wire.ModelRuleList)


def set_model_rule(organization_id: str, rule: wire.SetModelRule) -> Call[wire.ModelRuleList]:
    """`PUT …/model-rules`."""
    return _call("PUT", _path(organization_id, "model-rules"), wire.ModelRuleList, rule)


def _path(organization_id: str, *below: str) -> str:
    return "/".join([_ALL, *(escape(part, safe="") for part in (organization_id, *below))])


def _deletion(path: str, confirmation: str | None) -> Call[auth.Message]:
    headers = {CONFIRMATION_HEADER: confirmation} if confirmation else {}
    return _call("DELETE", path, auth.Message, headers=headers)


def _call(
    method: str,
    path: str,
    kind: type[T],
    body: msgspec.Struct | None = None,
    *,
    headers: dict[str, str] | None = None,
) -> Call[T]:
    sent = None if body is None else msgspec.json.encode(body)
    return Call(Request(method, path, sent, headers=headers or {}), _responses.parse_as(kind))
