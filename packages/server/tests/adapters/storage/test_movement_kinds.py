"""What the code calls its movements: each kind is told in statements, or moves nobody's credit."""

import ast
from pathlib import Path

from monkey_coder_protocol.billing import StatementCredit
from monkey_coder_server.adapters.storage import books, cost_books, credit_sums, payment_movements
from monkey_coder_server.adapters.storage.tables import CREDIT_MOVING
from monkey_coder_server.domain.ledger import GrantKind
from monkey_coder_server.domain.payment_books import stages
from monkey_coder_server.ports.statements import GAINED, LOST
from packages.server.tests.contract.paying import paid

CHARGES = {"settle"}
NO_CREDIT = {"void", "correct", "invoice", "forgive"}
"""Movements without a line of a customer's credit."""
REASONED = {
    ("cost_books", "CORRECTION"): {cost_books.CORRECTION},
    ("payment_movements", "kind.value"): {GrantKind.PURCHASE.value, *map(str, payment_movements._KINDS.values())},
    ("payment_movements", "kind"): {*[kind for kind, _ in stages(paid(), paid())], "debt"},
    ("shipping", "kind"): {"settle", "void"},
}
"""Where the code does not name a kind by its word: what it can be."""


def kinds_in_code() -> set[str]:
    found: set[str] = set()
    for path in Path(books.__file__).parent.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("Movement"):
                kind = call.args[1]
                found |= {kind.value} if isinstance(kind, ast.Constant) else REASONED[path.stem, ast.unparse(kind)]
    return found


def test_every_kind_of_movement_is_told_or_moves_no_credit() -> None:
    assert kinds_in_code() == {*CREDIT_MOVING, *CHARGES, *NO_CREDIT}
    assert set(credit_sums._TOLD) == set(CREDIT_MOVING)


def test_every_movement_has_its_sum_in_the_statement() -> None:
    sums = {credit_sums._FIGURES.get(told, told) for pair in credit_sums._TOLD.values() for told in pair}
    assert sums == {*GAINED, *LOST}
    shown = {name.removesuffix("_nano") for name in StatementCredit.__struct_fields__ if name.endswith("_nano")}
    assert shown == {*GAINED, *LOST, "opening", "charged", "closing"}
