"""`client.organizations`: each call is one request, on the sync and on the async client."""

from collections.abc import Callable
from types import FunctionType
from typing import Any

import pytest

from monkey_coder import CreateKeyRequest
from monkey_coder_protocol.organizations import ChangeOrganization, CreateProject, SetLimit, SetModelRule, SetRate
from packages.client.tests.fake_gateway import KEY, KEY_INFO, FakeGateway, reply
from packages.client.tests.organization_answers import (
    INVITATION,
    LIMITS,
    MEMBER,
    MEMBERS,
    ORGANIZATION,
    ORGANIZATIONS,
    POLICY,
    PROJECT,
    RATES,
    RULES,
    SAID,
    TEAM,
)

ONE = "/v1/organizations/acc_1"
MADE_KEY = {**KEY_INFO, "key": KEY}
Call = FunctionType
CALLS: list[tuple[Call, str, str, Any, Any]] = [
    (lambda o: o.list(), "GET", "/v1/organizations", None, ORGANIZATIONS),
    (lambda o: o.create("Firm"), "POST", "/v1/organizations", {"name": "Firm"}, ORGANIZATION),
    (lambda o: o.get("acc_1"), "GET", ONE, None, ORGANIZATION),
    (lambda o: o.change("acc_1", ChangeOrganization(name="x")), "PATCH", ONE, {"name": "x"}, ORGANIZATION),
    (lambda o: o.delete("acc_1", confirmation="proof"), "DELETE", ONE, None, SAID),
    (lambda o: o.leave("acc_1"), "POST", f"{ONE}/leave", None, SAID),
    (lambda o: o.members("acc_1"), "GET", f"{ONE}/members", None, MEMBERS),
    (lambda o: o.change_member("acc_1", "usr_1", "viewer"), "PATCH", f"{ONE}/members/usr_1", {"role": "viewer"}, SAID),
    (lambda o: o.remove_member("acc_1", "usr_1"), "DELETE", f"{ONE}/members/usr_1", None, SAID),
    (
        lambda o: o.create_service_account("acc_1", "ci", "viewer"),
        "POST",
        f"{ONE}/service-accounts",
        {"name": "ci", "role": "viewer"},
        MEMBER,
    ),
    (lambda o: o.invitations("acc_1"), "GET", f"{ONE}/invitations", None, {"invitations": [INVITATION], "count": 1}),
    (
        lambda o: o.invite("acc_1", "a@b.c", "viewer"),
        "POST",
        f"{ONE}/invitations",
        {"email": "a@b.c", "role": "viewer"},
        INVITATION,
    ),
    (lambda o: o.withdraw("acc_1", "inv_1"), "DELETE", f"{ONE}/invitations/inv_1", None, SAID),
    (lambda o: o.accept("code"), "POST", "/v1/invitations/accept", {"token": "code"}, SAID),
    (lambda o: o.decline("code"), "POST", "/v1/invitations/decline", {"token": "code"}, SAID),
    (lambda o: o.teams("acc_1"), "GET", f"{ONE}/teams", None, {"teams": [TEAM], "count": 1}),
    (lambda o: o.create_team("acc_1", "Web"), "POST", f"{ONE}/teams", {"name": "Web"}, TEAM),
    (lambda o: o.rename_team("acc_1", "team_1", "x"), "PATCH", f"{ONE}/teams/team_1", {"name": "x"}, TEAM),
    (lambda o: o.delete_team("acc_1", "team_1", confirmation="proof"), "DELETE", f"{ONE}/teams/team_1", None, SAID),
    (lambda o: o.projects("acc_1"), "GET", f"{ONE}/projects", None, {"projects": [PROJECT], "count": 1}),
    (
        lambda o: o.create_project("acc_1", "shop"),
        "POST",
        f"{ONE}/projects",
        {"project_id": "shop", "team_id": None, "name": None},
        PROJECT,
    ),
    (
        lambda o: o.create_project("acc_1", CreateProject(project_id="shop", team_id="t", name="Shop")),
        "POST",
        f"{ONE}/projects",
        {"project_id": "shop", "team_id": "t", "name": "Shop"},
        PROJECT,
    ),
    (lambda o: o.rename_project("acc_1", "shop", "x"), "PATCH", f"{ONE}/projects/shop", {"name": "x"}, PROJECT),
    (lambda o: o.delete_project("acc_1", "a/b", confirmation="proof"), "DELETE", f"{ONE}/projects/a/b", None, SAID),
    (lambda o: o.limits("acc_1"), "GET", f"{ONE}/limits", None, LIMITS),
    (lambda o: o.rates("acc_1"), "GET", f"{ONE}/rates", None, RATES),
    (
        lambda o: o.set_rates("acc_1", SetRate(holder="organization", requests=5, tokens=None)),
        "PUT",
        f"{ONE}/rates",
        {"holder": "organization", "holder_id": None, "model": None, "requests": 5, "tokens": None},
        RATES,
    ),
    (lambda o: o.model_rules("acc_1"), "GET", f"{ONE}/model-rules", None, RULES),
]


@pytest.mark.parametrize("row", CALLS)
def test_each_call_is_one_request(
    connect: Callable[..., Any], gateway: FakeGateway, row: tuple[Call, str, str, Any, Any]
) -> None:
    call, method, path, body, answer = row
    gateway.on(path, reply(answer))
    call(connect().organizations)
    (seen,) = gateway.seen
    assert (seen.method, seen.path, seen.body) == (method, path, body)
    assert seen.headers.get("x-mk-confirmation") == ("proof" if "proof" in call.__code__.co_consts else None)


def test_levels_are_limited_and_ruled(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    gateway.on(f"{ONE}/limits", reply(LIMITS)).on(f"{ONE}/model-rules", reply(RULES))
    made = connect().organizations
    found = made.set_limit("acc_1", SetLimit(holder="team", holder_id="team_1", period="month", usd="200"))
    assert found.limits[0].left == "199.00"
    ruled = made.set_model_rule("acc_1", SetModelRule(holder="team", holder_id="team_1", collapse="vote"))
    assert ruled.rules[0].collapse == "vote"
    assert [seen.method for seen in gateway.seen] == ["PUT", "PUT"]
    assert (gateway.seen[0].body["usd"], gateway.seen[1].body["collapse"]) == ("200", "vote")


@pytest.mark.parametrize("key", ["ci", CreateKeyRequest(name="ci", project_id="shop")])
def test_a_key_is_made_and_judged_for_the_organization(
    connect: Callable[..., Any], gateway: FakeGateway, key: str | CreateKeyRequest
) -> None:
    gateway.on("/v1/keys", reply(MADE_KEY)).on("/v1/keys/key_1/policy", reply(POLICY))
    made = connect().organizations
    assert made.create_key("acc_1", key).key == KEY
    assert made.policy("acc_1", "key_1").collapse == "vote"
    assert [seen.headers["x-mk-organization"] for seen in gateway.seen] == ["acc_1", "acc_1"]
    assert gateway.seen[0].body["name"] == "ci"
