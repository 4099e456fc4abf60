"""What can be changed in a module of the rules, one thing at a time: signs, constants, conditions, results."""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

DOMAIN = Path(__file__).parents[1] / "packages/server/src/monkey_coder_server/domain"

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
    """One changed module. `name` says the change and where, by the text of the line: the lines above it may move."""

    module: str
    line: int
    name: str
    tree: ast.Module


def unchanged(module: str) -> Mutant:
    """The module as it is."""
    return Mutant(module, 1, f"{module}: nothing", ast.parse(_source(module)))


def mutants(module: str) -> Iterator[Mutant]:
    """Every mutant of a module, one change each."""
    source = _source(module)
    lines = source.splitlines()
    seen: Counter[str] = Counter()
    for number, node in enumerate(_code(ast.parse(source))):
        for choice, _ in enumerate(_changes(node)):
            tree = ast.parse(source)
            what, change = list(_changes(next(islice(_code(tree), number, None))))[choice]
            change()
            line = getattr(node, "lineno", 1)
            name = f"{module}: {what} in `{lines[line - 1].strip()}`"
            seen[name] += 1
            again = f" #{seen[name]}" if seen[name] > 1 else ""
            yield Mutant(module, line, name + again, ast.fix_missing_locations(tree))


def _source(module: str) -> str:
    return (DOMAIN / f"{module}.py").read_text(encoding="utf-8")


def _code(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run: annotations and docstrings do not."""
    for name, field in ast.iter_fields(tree):
        if name in {"annotation", "returns", "decorator_list", "bases", "keywords"} and not isinstance(tree, ast.Call):
            continue
        for child in field if isinstance(field, list) else [field]:
            if isinstance(child, ast.AST):
                yield child
                yield from _code(child)


Change = tuple[str, Callable[[], None]]
"""What a change is called, and what makes it."""


def _changes(node: ast.AST) -> Iterator[Change]:
    """What can be changed at a node, and how."""
    yield from _signs(node)
    yield from _values(node)


def _signs(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=operators):
            for index, operator in enumerate(operators):
                other = _COMPARES[type(operator)]
                yield f"{type(operator).__name__} → {other.__name__}", partial(operators.__setitem__, index, other())
        case ast.UnaryOp(op=ast.USub()):
            yield "sign dropped", lambda: setattr(node, "op", ast.UAdd())
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) if type(operator) in _OPERATORS:
            swapped = _OPERATORS[type(operator)]
            yield f"{type(operator).__name__} → {swapped.__name__}", lambda: setattr(node, "op", swapped())
        case ast.BoolOp(op=joined):
            opposite = ast.Or if isinstance(joined, ast.And) else ast.And
            yield f"{type(joined).__name__} → {opposite.__name__}", lambda: setattr(node, "op", opposite())
        case _:
            return


def _values(node: ast.AST) -> Iterator[Change]:
    match node:
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
