"""The pages that say which test proves what name tests that are there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "packages" / "server" / "tests"
PAGES = ROOT / "docs" / "explanation"
_PROOF = re.compile(r"`([\w./-]+?(?:\.py|/))(?:::(\w+))?`")


@cache
def defined(file: Path) -> frozenset[str]:
    """Names of the tests of a file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    named = (each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(name for name in named if name.startswith("test_"))


def proofs(page: str) -> list[list[tuple[str, str]]]:
    """The last column of each row of a page's tables: files or folders, and tests in them."""
    lines = (PAGES / page).read_text(encoding="utf-8").splitlines()
    rows = [line.strip("|").split("|")[-1] for line in lines if line.startswith("|")]
    return [_PROOF.findall(row) for row in rows if row.strip() not in {"proof", "---"}]


def place(named: str) -> Path:
    """Where a proof lies: below the server's tests, or with a folder of its own below the root."""
    below = TESTS / named
    return below if below.exists() else ROOT / named


@pytest.mark.parametrize("page", ["security.md", "payment-failures.md", "faults.md"])
def test_every_row_names_a_proof_that_is_there(page: str) -> None:
    rows = proofs(page)
    assert len(rows) >= 20
    assert all(rows)
    named = [each for row in rows for each in row]
    assert [file for file, _ in named if not place(file).exists()] == []
    assert [each for each in named if each[1] and each[1] not in defined(place(each[0]))] == []


def test_every_case_of_a_payment_names_its_test() -> None:
    assert [each for row in proofs("payment-failures.md") for each in row if not each[1]] == []
