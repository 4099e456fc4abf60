"""`monkey orgs`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import KEY, KEY_INFO, FakeGateway, error, reply
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

Monkey = Callable[..., Ran]
ONE = "/v1/organizations/acc_firm"
AS_ADA = ("--email", "ada@example.com", "--password-stdin")


def asked(gateway: FakeGateway) -> list[str]:
    return [f"{seen.method} {seen.path}" for seen in gateway.seen]


@pytest.fixture
def as_ada(monkey: Monkey, gateway: FakeGateway, typed: Callable[[str], None]) -> Callable[..., Ran]:
    """Run a command as a person of one organization, who types a password and what else is said."""

    def invoke(*arguments: str, says: str = "") -> Ran:
        typed(f"my password\n{says}")
        gateway.on("/v1/organizations", reply(ORGANIZATIONS))
        return monkey("orgs", *arguments, *AS_ADA)

    return invoke


def test_a_person_logs_in_for_one_command(as_ada: Callable[..., Ran], gateway: FakeGateway, home: Path) -> None:
    ran = as_ada("list")
    assert (ran.code, "acc_firm" in ran.out, "owner" in ran.out) == (0, True, True), ran.err
    assert asked(gateway) == ["POST /v1/auth/login", "GET /v1/organizations", "POST /v1/auth/logout"]
    assert gateway.seen[1].headers["authorization"] == "Bearer jwt"
    assert not (home / ".config/monkey-coder/config.json").exists(), "no token stays here"


ACTS: list[tuple[tuple[str, ...], str, Any, Any, str]] = [
    (("show",), f"GET {ONE}", None, ORGANIZATION, "Firm"),
    (("rename", "Company"), f"PATCH {ONE}", {"name": "Company"}, ORGANIZATION, "Firm"),
    (("second-factor", "required"), f"PATCH {ONE}", {"second_factor_required": True}, ORGANIZATION, "optional"),
    (("delete", "--yes"), f"DELETE {ONE}", None, SAID, "Done."),
    (("leave", "--yes"), f"POST {ONE}/leave", None, SAID, "Done."),
    (("members",), f"GET {ONE}/members", None, MEMBERS, "bob@example.com"),
    (
        ("service-account", "ci", "--role", "viewer"),
        f"POST {ONE}/service-accounts",
        {"name": "ci", "role": "viewer"},
        MEMBER,
        "usr_bob",
    ),
    (
        ("invite", "cy@example.com", "--role", "viewer"),
        f"POST {ONE}/invitations",
        {"email": "cy@example.com", "role": "viewer"},
        INVITATION,
        "inv_1: cy@example.com as viewer, until 2026-12-06",
    ),
    (("invitations",), f"GET {ONE}/invitations", None, {"invitations": [INVITATION], "count": 1}, "cy@example.com"),
    (("invitations", "--withdraw", "inv_1"), f"DELETE {ONE}/invitations/inv_1", None, SAID, "Done."),
    (("teams", "list"), f"GET {ONE}/teams", None, {"teams": [TEAM], "count": 1}, "Web"),
    (("teams", "create", "Web"), f"POST {ONE}/teams", {"name": "Web"}, TEAM, "team_1\n"),
    (("teams", "rename", "team_1", "Site"), f"PATCH {ONE}/teams/team_1", {"name": "Site"}, TEAM, "team_1  Web"),
    (("teams", "delete", "team_1", "--yes"), f"DELETE {ONE}/teams/team_1", None, SAID, "Done."),
    (("projects", "list"), f"GET {ONE}/projects", None, {"projects": [PROJECT], "count": 1}, "Shop"),
    (
        ("projects", "create", "shop", "--team", "team_1"),
        f"POST {ONE}/projects",
        {"project_id": "shop", "team_id": "team_1", "name": None},
        PROJECT,
        "shop\n",
    ),
    (("projects", "rename", "shop", "Shop"), f"PATCH {ONE}/projects/shop", {"name": "Shop"}, PROJECT, "shop  Shop"),
    (("projects", "delete", "shop", "--yes"), f"DELETE {ONE}/projects/shop", None, SAID, "Done."),
    (("limits", "list"), f"GET {ONE}/limits", None, LIMITS, "199.00"),
    (
        ("limits", "set", "team", "team_1", "--month", "--usd", "200"),
        f"PUT {ONE}/limits",
        {"holder": "team", "holder_id": "team_1", "period": "month", "usd": "200", "tokens": None, "model": None},
        LIMITS,
        "199.00",
    ),
    (("rates", "list"), f"GET {ONE}/rates", None, RATES, "600 requests a minute *"),
    (
        ("rates", "set", "team", "team_1", "--requests", "600", "--none"),
        f"PUT {ONE}/rates",
        {"holder": "team", "holder_id": "team_1", "model": None, "requests": 600, "tokens": None, "concurrency": None},
        RATES,
        "600 requests a minute *",
    ),
    (
        ("rules", "set", "team", "team_1", "--max-output-usd", "15", "--capability", "tools", "--data-policy", "no_x"),
        f"PUT {ONE}/model-rules",
        {"max_input_usd": None, "max_output_usd": "15", "capabilities": ["tools"], "data_policies": ["no_x"]},
        RULES,
        "xai/*",
    ),
    (("rules", "list"), f"GET {ONE}/model-rules", None, RULES, "xai/*"),
    (
        ("rules", "set", "organization", "--allow", "openai/*", "--collapse", "vote"),
        f"PUT {ONE}/model-rules",
        {"holder": "organization", "holder_id": None, "allow": ["openai/*"], "deny": [], "collapse": "vote"},
        RULES,
        "vote",
    ),
    (("policy", "key_1"), "GET /v1/keys/key_1/policy", None, POLICY, "several models  vote"),
    (
        ("key", "ci", "--project", "shop"),
        "POST /v1/keys",
        {"name": "ci", "project_id": "shop"},
        {**KEY_INFO, "key": KEY},
        f"{KEY}\n",
    ),
]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: " ".join(act[0]))
def test_each_command_is_one_request_and_shows_what_came_of_it(
    as_ada: Callable[..., Ran], gateway: FakeGateway, act: tuple[tuple[str, ...], str, Any, Any, str]
) -> None:
    command, request_, body, answer, shown = act
    for _ in range(2):
        gateway.on(request_.partition(" ")[2], reply(answer))
    ran = as_ada(*command)
    assert ran.code == 0, ran.err
    assert shown in ran.out
    assert asked(gateway)[2:-1] == [request_]
    sent = gateway.seen[2].body
    assert sent == body if body is None else {**sent, **body} == sent
    ran = as_ada(*command, "--json")
    assert json.loads(ran.out)


def test_empty_lists_say_so(as_ada: Callable[..., Ran], gateway: FakeGateway) -> None:
    for command, path, key in (
        ("teams", "teams", "teams"),
        ("projects", "projects", "projects"),
        ("limits", "limits", "limits"),
        ("rules", "model-rules", "rules"),
    ):
        gateway.on(f"{ONE}/{path}", reply({key: [], "count": 0}))
        assert as_ada(command, "list").out.startswith("No ")


def test_one_that_is_made_can_be_the_configured_one(
    monkey: Monkey, gateway: FakeGateway, typed: Callable[[str], None]
) -> None:
    typed("my password\n")
    gateway.on("/v1/organizations", reply(ORGANIZATION))
    assert monkey("orgs", "create", "Firm", "--use", *AS_ADA).out == "acc_firm\n"
    assert monkey("config", "get", "organization").out == "acc_firm\n"


def test_a_key_of_the_organization_needs_no_log_in(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on(ONE, reply(ORGANIZATION)).on(f"{ONE}/members", reply(MEMBERS))
    assert monkey("config", "set", "organization", "acc_firm").code == 0
    ran = monkey("orgs", "members")
    assert (ran.code, "bob@example.com" in ran.out) == (0, True), ran.err
    assert asked(gateway) == [f"GET {ONE}", f"GET {ONE}/members"]
    assert gateway.seen[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_key_of_another_account_gives_way_to_the_person(
    as_ada: Callable[..., Ran], monkey: Monkey, gateway: FakeGateway, typed: Callable[[str], None]
) -> None:
    gateway.on(ONE, error(404, "not_found")).on(f"{ONE}/members", reply(MEMBERS))
    gateway.on("/v1/organizations", reply(ORGANIZATIONS))
    typed("my password\n")
    ran = monkey("orgs", "members", "--org", "acc_firm", "--password-stdin")
    assert ran.code == 0, ran.err
    assert asked(gateway)[0] == f"GET {ONE}"
    assert f"GET {ONE}/members" in asked(gateway)


@pytest.mark.parametrize(
    "case",
    [
        ([], (), "monkey orgs create"),
        ([ORGANIZATION], ("--org", "Other"), "acc_firm (Firm)"),
        ([ORGANIZATION, {**ORGANIZATION, "organization_id": "acc_2"}], (), "--org"),
        ([ORGANIZATION, {**ORGANIZATION, "organization_id": "acc_2"}], ("--org", "Firm"), "acc_2 (Firm)"),
    ],
)
def test_which_organization_is_meant_is_never_guessed(
    monkey: Monkey, gateway: FakeGateway, typed: Callable[[str], None], case: tuple[list[Any], tuple[str, ...], str]
) -> None:
    listed, named, told = case
    typed("my password\n")
    gateway.on("/v1/organizations", reply({"organizations": listed, "count": len(listed)}))
    ran = monkey("orgs", "show", *named, *AS_ADA)
    assert (ran.code, told in ran.err) == (2, True), ran.err
    assert asked(gateway)[-1] == "POST /v1/auth/logout"


@pytest.mark.parametrize("word", ["accept", "decline"])
def test_an_invitation_is_answered_by_its_code_which_is_no_argument(
    as_ada: Callable[..., Ran], gateway: FakeGateway, word: str
) -> None:
    gateway.on(f"/v1/invitations/{word}", reply(SAID))
    flags = ["--decline"] if word == "decline" else []
    assert as_ada("accept", *flags, says="the-code\n").out == "Done.\n"
    assert gateway.seen[1].body == {"token": "the-code"}


def test_a_member_is_named_by_email_or_id(as_ada: Callable[..., Ran], gateway: FakeGateway) -> None:
    for named in ("bob@example.com", "usr_bob"):
        gateway.on(f"{ONE}/members", reply(MEMBERS)).on(f"{ONE}/members/usr_bob", reply(SAID))
        assert as_ada("role", named, "developer").code == 0
    gateway.on(f"{ONE}/members", reply(MEMBERS)).on(f"{ONE}/members/usr_bob", reply(SAID))
    assert as_ada("remove", "bob@example.com", "--yes").code == 0
    gateway.on(f"{ONE}/members", reply(MEMBERS))
    ran = as_ada("remove", "nobody@example.com", "--yes")
    assert (ran.code, "nobody@example.com" in ran.err) == (2, True)


def test_what_ends_is_typed_in(
    monkey: Monkey,
    gateway: FakeGateway,
    person: Callable[[str], None],
    typed: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _prompt: "hidden pw")
    for said, code in (("acc_other\n", 1), ("acc_firm\n", 0)):
        person(said)
        gateway.on("/v1/organizations", reply(ORGANIZATIONS)).on(ONE, reply(SAID))
        ran = monkey("orgs", "delete", "--email", "ada@example.com")
        assert ran.code == code, ran.err
    assert asked(gateway).count(f"DELETE {ONE}") == 1
    typed("my password\n")
    ran = monkey("orgs", "projects", "delete", "shop", *AS_ADA)
    assert (ran.code, "--yes" in ran.err) == (2, True)


@pytest.mark.parametrize(
    "options", [("--usd", "1"), ("--day",), ("--day", "--usd", "1", "--tokens", "1"), ("--day", "--usd", "1", "--none")]
)
def test_a_limit_needs_a_time_and_one_amount(monkey: Monkey, gateway: FakeGateway, options: tuple[str, ...]) -> None:
    assert monkey("orgs", "limits", "set", "organization", *options).code == 2
    assert gateway.seen == []
