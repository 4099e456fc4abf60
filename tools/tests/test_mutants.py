"""The mutants: one change each, in what runs, and noticed by the tests that deserve the name."""

import ast

import pytest

from tools.mutants import MODULES, covering, survives
from tools.mutations import mutants, unchanged

MODULE = "markup"


def test_each_mutant_changes_what_the_module_does() -> None:
    original = ast.unparse(unchanged(MODULE).tree)
    written = [ast.unparse(mutant.tree) for mutant in mutants(MODULE)]
    assert len(written) >= 10
    assert original not in written
    assert len(set(written)) == len(written)


def test_each_mutant_has_a_name_of_its_own() -> None:
    names = [mutant.name for mutant in mutants("ledger")]
    assert len(set(names)) == len(names) > 90


def test_each_module_has_tests_its_own_first() -> None:
    assert next(path.stem for path in covering("money")) == "test_money"
    assert all(map(covering, MODULES))


def test_annotations_and_docstrings_are_left_alone() -> None:
    changed = {mutant.name for mutant in mutants(MODULE)}
    assert not [name for name in changed if '"""' in name or "def " in name]


@pytest.mark.timeout(120)
def test_a_change_of_a_sum_is_noticed_and_no_change_is_not() -> None:
    assert survives(unchanged(MODULE))
    assert not survives(next(mutants(MODULE)))
