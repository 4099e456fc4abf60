"""Mutants of the money rules: change one thing in a module, run its tests, and see whether they notice.

`python -m tools.mutants [module…]` mutates modules of the domain (without arguments those that money rests on), each in
a process of its own whose import of that one module is mutated; nothing is written to disk. A mutant that no test
kills is printed with its line. Survivors that change nothing anybody could see are listed, with the reason, in
`mutants.toml`. A module that fails its tests unchanged stops the run: then nothing would be proved.
"""

import ast
import importlib.abc
import importlib.util
import os
import signal
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]
DOMAIN = ROOT / "packages/server/src/monkey_coder_server/domain"
TESTS = ROOT / "packages/server/tests/domain"
PACKAGE = "monkey_coder_server.domain"
MODULES = ("money", "usage", "pricing", "ledger", "markup", "receipts", "leases", "limits", "reconciliation")
KNOWN = Path(__file__).with_name("mutants.toml")
ENOUGH = 0.9
"""The share of mutants that must be killed."""
SECONDS = 120
"""After which a mutant counts as killed: it runs for ever."""

_COMPARES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One changed module. `what` says the change."""

    module: str
    line: int
    what: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """What it is known by in `mutants.toml`: the lines above it may move."""
        source = (DOMAIN / f"{self.module}.py").read_text(encoding="utf-8").splitlines()[self.line - 1].strip()
        return f"{self.module}: {self.what} in `{source}`"


def mutants(module: str) -> Iterator[Mutant]:
    """Every mutant of a module, one change each."""
    source = (DOMAIN / f"{module}.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    places = [node for node in _code(tree) if list(_changes(node))]
    for number, node in enumerate(places):
        for choice, _ in enumerate(_changes(node)):
            copied = deepcopy(tree)
            place = [each for each in _code(copied) if list(_changes(each))][number]
            what, change = list(_changes(place))[choice]
            change()
            yield Mutant(module, getattr(node, "lineno", 1), what, ast.fix_missing_locations(copied))


def _code(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run: annotations and docstrings do not."""
    for name, field in ast.iter_fields(tree):
        if name in {"annotation", "returns", "decorator_list", "bases", "keywords"} and not isinstance(tree, ast.Call):
            continue
        for child in field if isinstance(field, list) else [field]:
            if isinstance(child, ast.AST):
                yield child
                yield from _code(child)


def _changes(node: ast.AST) -> Iterator[tuple[str, Callable[[], None]]]:
    """What can be changed at a node, and how."""
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _COMPARES:
            other = _COMPARES[type(operator)]
            yield f"{type(operator).__name__} → {other.__name__}", lambda: setattr(node, "ops", [other()])
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) if type(operator) in _OPERATORS:
            swapped = _OPERATORS[type(operator)]
            yield f"{type(operator).__name__} → {swapped.__name__}", lambda: setattr(node, "op", swapped())
        case ast.BoolOp(op=joined):
            opposite = ast.Or if isinstance(joined, ast.And) else ast.And
            yield f"{type(joined).__name__} → {opposite.__name__}", lambda: setattr(node, "op", opposite())
        case ast.Constant(value=bool() as truth):
            yield f"{truth} → {not truth}", lambda: setattr(node, "value", not truth)
        case ast.Constant(value=int() as number):
            yield f"{number} → {number + 1}", lambda: setattr(node, "value", number + 1)
        case ast.If(test=condition) | ast.IfExp(test=condition):
            yield "condition negated", lambda: setattr(node, "test", ast.UnaryOp(ast.Not(), condition))
        case ast.Return(value=ast.expr() as told) if not (isinstance(told, ast.Constant) and told.value is None):
            yield "returns None", lambda: setattr(node, "value", ast.Constant(None))
        case ast.Call(func=ast.Name(id=called)) if called in _CALLS:
            yield f"{called} → {_CALLS[called]}", lambda: setattr(node.func, "id", _CALLS[called])
        case _:
            return


class _Importer(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module its mutated code."""

    def __init__(self, mutant: Mutant) -> None:
        self._name = f"{PACKAGE}.{mutant.module}"
        self._path = str(DOMAIN / f"{mutant.module}.py")
        self._code = compile(mutant.tree, self._path, "exec")

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        """The module's specification, with this as its loader."""
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        """Run the mutated code."""
        exec(self._code, module.__dict__)  # noqa: S102 - our own source with one thing changed


def survives(mutant: Mutant) -> bool:
    """Whether the module's tests pass all the same."""
    child = os.fork()
    if child == 0:
        os._exit(_tested(mutant))
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _tested(mutant: Mutant) -> int:
    """In the child: the exit code of the module's own tests."""
    import pytest  # noqa: PLC0415 - imported by the parent already

    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    for name in [name for name in sys.modules if name.partition(".")[0] in {"monkey_coder_server", "packages"}]:
        del sys.modules[name]  # whoever runs this may have imported the module as it is
    sys.meta_path.insert(0, _Importer(mutant))
    tests = [str(path) for path in sorted(TESTS.glob(f"test_{mutant.module}*.py"))]
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--assert=plain", "-o", "filterwarnings="]
    options += ["-o", "addopts=--import-mode=importlib"]
    try:
        return int(pytest.main([*options, *tests]))
    except BaseException:  # noqa: BLE001 - a mutant that breaks the run itself is noticed
        return 1


def main(names: Sequence[str]) -> int:
    """Print every survivor that is not explained; 1 when there are too many in all."""
    import hypothesis  # noqa: F401, PLC0415 - once for all children
    import pytest  # noqa: F401, PLC0415 - once for all children

    modules = names or [name for name in MODULES if (DOMAIN / f"{name}.py").exists()]
    known = tomllib.loads(KNOWN.read_text(encoding="utf-8"))["same"] if KNOWN.exists() else {}
    print(f"{'module':<16} {'mutants':>8} {'killed':>8} {'the same':>9} {'survive':>8} {'share':>7}")
    total = dead = 0
    for module in modules:
        if not survives(Mutant(module, 1, "nothing", ast.parse((DOMAIN / f"{module}.py").read_text(encoding="utf-8")))):
            print(f"{module}: its own tests fail without any change")
            return 2
        made = list(mutants(module))
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            living = [mutant for mutant, lives in zip(made, pool.map(survives, made), strict=True) if lives]
        unexplained = [mutant for mutant in living if mutant.name not in known]
        same = len(living) - len(unexplained)
        killed = len(made) - len(living)
        total, dead = total + len(made) - same, dead + killed
        share = killed / max(1, len(made) - same)
        print(f"{module:<16} {len(made):>8} {killed:>8} {same:>9} {len(unexplained):>8} {share:>7.1%}")
        for mutant in unexplained:
            print(f"    {mutant.module}.py:{mutant.line}  {mutant.name}")
    print(f"all: {dead} of {total} killed, {dead / max(1, total):.1%}; at least {ENOUGH:.0%} is asked")
    return 0 if dead >= ENOUGH * total else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
