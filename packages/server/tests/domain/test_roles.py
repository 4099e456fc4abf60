"""What roles may do."""

from monkey_coder_server.domain import scopes
from monkey_coder_server.domain.roles import SCOPES_OF, Role, may_give, narrowed


def may(role: Role, scope: str) -> bool:
    return scopes.covers(SCOPES_OF[role], scope)


def test_every_role_has_rights_that_exist() -> None:
    assert set(SCOPES_OF) == set(Role)
    assert all(scopes.known_scope(scope) for held in SCOPES_OF.values() for scope in held)


def test_an_owner_may_do_everything() -> None:
    assert all(may(Role.OWNER, scope) for scope in scopes.SCOPES)


def test_only_who_works_spends_and_only_who_pays_moves_money() -> None:
    assert {role for role in Role if may(role, scopes.EXECUTE)} == {Role.OWNER, Role.ADMIN, Role.DEVELOPER}
    assert {role for role in Role if may(role, scopes.BILLING_MANAGE)} == {Role.OWNER, Role.BILLING}
    assert {role for role in Role if may(role, scopes.ORGANIZATION_MANAGE)} == {Role.OWNER, Role.ADMIN}


def test_a_viewer_changes_nothing() -> None:
    assert all(scope.endswith(":read") for scope in SCOPES_OF[Role.VIEWER])


def test_nobody_gives_a_role_that_may_do_what_they_may_not() -> None:
    given = {giver: {role for role in Role if may_give(SCOPES_OF[giver], role)} for giver in Role}
    assert given[Role.OWNER] == set(Role)
    assert given[Role.ADMIN] == {Role.ADMIN, Role.DEVELOPER, Role.VIEWER}
    assert not may_give(frozenset({scopes.ORGANIZATION_MANAGE}), Role.VIEWER)


def test_narrowing_takes_away_and_never_gives() -> None:
    viewer = SCOPES_OF[Role.VIEWER]
    assert narrowed(frozenset({scopes.EVERYTHING}), viewer) == viewer
    assert narrowed(frozenset({"billing:*", scopes.EXECUTE}), viewer) == {scopes.BILLING_READ}
    assert narrowed(frozenset({scopes.EXECUTE}), viewer) == frozenset()
    assert narrowed(frozenset({"billing:*"}), SCOPES_OF[Role.OWNER]) == {"billing:*"}
