"""The mutants: one change each, in what runs, and noticed by the tests that deserve the name."""

import ast

import pytest

from tools.mutants import DOMAIN, Mutant, mutants, survives

MODULE = "markup"


def test_each_mutant_changes_what_the_module_does() -> None:
    original = ast.unparse(ast.parse((DOMAIN / f"{MODULE}.py").read_text(encoding="utf-8")))
    written = [ast.unparse(mutant.tree) for mutant in mutants(MODULE)]
    assert len(written) >= 10
    assert original not in written
    assert len(set(written)) == len(written)


def test_annotations_and_docstrings_are_left_alone() -> None:
    changed = {mutant.name for mutant in mutants(MODULE)}
    assert not [name for name in changed if '"""' in name or "def " in name]


@pytest.mark.timeout(120)
def test_a_change_of_a_sum_is_noticed_and_no_change_is_not() -> None:
    source = ast.parse((DOMAIN / f"{MODULE}.py").read_text(encoding="utf-8"))
    assert survives(Mutant(MODULE, 1, "nothing", source))
    assert not survives(next(mutants(MODULE)))
