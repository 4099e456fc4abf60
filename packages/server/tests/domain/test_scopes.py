"""Scopes: which there are, and which cover which."""

from monkey_coder_server.domain.operators import OperatorRole, acting_name
from monkey_coder_server.domain.scopes import OPERATOR_SCOPES, SCOPES, covers, known_scope


def test_a_scope_is_known_by_name_by_prefix_and_by_the_star() -> None:
    assert all(known_scope(scope) for scope in SCOPES)
    assert known_scope("*")
    assert known_scope("billing:*")
    assert not known_scope("nothing:*")
    assert not known_scope("billing")
    assert not known_scope("billing:write")


def test_a_scope_is_covered_by_itself_its_prefix_and_the_star_only() -> None:
    assert all(covers(held, "billing:read") for held in map(frozenset, (["billing:read"], ["billing:*"], ["*"])))
    assert not covers(frozenset({"billing:manage", "keys:*"}), "billing:read")
    assert not covers(frozenset(), "execute")


def test_what_operators_may_do_is_covered_by_nothing_an_account_or_a_key_can_have() -> None:
    everything = frozenset({"*", "operator:*", *SCOPES})
    assert not any(covers(everything, scope) for scope in OPERATOR_SCOPES)
    assert not any(known_scope(scope) for scope in (*OPERATOR_SCOPES, "operator:*"))


def test_an_operator_has_their_own_scope_and_the_admin_all_of_them() -> None:
    for role in OperatorRole:
        allowed = {scope for scope in OPERATOR_SCOPES if covers(frozenset({role.scope}), scope)}
        assert allowed == (OPERATOR_SCOPES if role is OperatorRole.ADMIN else {role.scope})
        assert not any(covers(frozenset({role.scope}), scope) for scope in SCOPES)
    assert acting_name("usr_1") == "operator:usr_1"
