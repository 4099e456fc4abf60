"""Scopes: which there are, and which cover which."""

from monkey_coder_server.domain.scopes import SCOPES, covers, known_scope


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
