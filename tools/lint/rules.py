"""The rules. Each takes a parsed file and yields findings; each encodes one decision of DESIGN §1, §3 or §7."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
BANNED_MODULE_NAMES = frozenset({"utils", "helpers", "common", "misc", "manager"})
MONEY_MODULES = (
    "monkey_coder_server/domain/money.py",
    "monkey_coder_server/domain/pricing.py",
    "monkey_coder_server/domain/markup.py",
    "monkey_coder_server/domain/ledger.py",
    "monkey_coder_server/domain/receipts.py",
    "monkey_coder_server/domain/usage.py",
    "monkey_coder_server/adapters/storage/",
    "monkey_coder_server/adapters/prices/",
    "monkey_coder_server/features/inference/settlement.py",
)
CLOCK_CALLS = frozenset(
    {
        "time.time",
        "time.time_ns",
        "time.monotonic",
        "time.monotonic_ns",
        "time.perf_counter",
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.date.today",
    }
)
CLOCKLESS = ("/domain/", "/ports/", "/dialects/", "/providers/", "/features/")
LATER_NOTE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|for now\b", re.IGNORECASE)
BARE_WAIVER = re.compile(r"#\s*(noqa(:\s*[A-Z0-9, ]+)?|type:\s*ignore(\[[a-z0-9, -]+\])?)\s*$")


@dataclass(frozen=True, slots=True)
class Source:
    """A file: its path relative to the repository (POSIX), text and syntax tree."""

    path: str
    text: str
    tree: ast.Module

    @property
    def is_test(self) -> bool:
        """Whether the file is part of a test tree."""
        return "tests" in PurePosixPath(self.path).parts


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach, with a sentence that says what to do."""

    path: str
    line: int
    rule: str
    message: str


Rule = Callable[[Source], Iterator[Finding]]


def file_length(source: Source) -> Iterator[Finding]:
    """A file has at most 400 lines."""
    lines = source.text.count("\n") + 1
    if lines > MAX_FILE_LINES:
        yield Finding(source.path, 1, "file-length", f"{lines} lines; split by reason to change (≤ {MAX_FILE_LINES})")


def function_length(source: Source) -> Iterator[Finding]:
    """A function has at most 60 lines."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                message = f"{node.name} has {lines} lines; name its steps (≤ {MAX_FUNCTION_LINES})"
                yield Finding(source.path, node.lineno, "function-length", message)


def no_float_in_money(source: Source) -> Iterator[Finding]:
    """Money modules hold no float: no literal, no `float`, no true division."""
    if source.is_test or not any(part in source.path for part in MONEY_MODULES):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield Finding(source.path, node.lineno, "money-float", "a float literal in a money module; use integers")
        elif isinstance(node, ast.Name) and node.id == "float":
            yield Finding(source.path, node.lineno, "money-float", "`float` in a money module; use integers")
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield Finding(
                source.path, node.lineno, "money-float", "true division in a money module; use ceil_div or //"
            )


def no_wall_clock(source: Source) -> Iterator[Finding]:
    """Time comes through `ports.clock` everywhere inside; only adapters and the rim read it."""
    if source.is_test or not any(part in source.path for part in CLOCKLESS):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in CLOCK_CALLS:
            yield Finding(source.path, node.lineno, "wall-clock", "take the time from ports.clock.Clock")


def no_print(source: Source) -> Iterator[Finding]:
    """Only command lines print."""
    if source.is_test or "/src/" not in source.path or _is_command_line(source.path):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield Finding(source.path, node.lineno, "print", "log, or return the text to the command line")


def module_name(source: Source) -> Iterator[Finding]:
    """A module is named after what it knows, not after being left over."""
    path = PurePosixPath(source.path)
    for name in (path.stem, path.parent.name):
        if name in BANNED_MODULE_NAMES:
            yield Finding(source.path, 1, "module-name", f"`{name}` says nothing; name the idea")


def module_docstring(source: Source) -> Iterator[Finding]:
    """Every source module opens with one line that says what it is."""
    if not source.is_test and source.text.strip() and ast.get_docstring(source.tree) is None:
        yield Finding(source.path, 1, "module-docstring", "open the module with one line that says what it is")


def no_later_notes(source: Source) -> Iterator[Finding]:
    """Work is done or recorded as an issue, never left as a note in the code."""
    if source.path.startswith("tools/"):
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        _, mark, comment = line.partition("#")
        if mark and LATER_NOTE.search(comment):
            yield Finding(source.path, number, "later-note", "do it, or say it in the issue tracker")


def reasoned_waivers(source: Source) -> Iterator[Finding]:
    """A lint or type waiver names its rule and its reason on the line."""
    for number, line in enumerate(source.text.splitlines(), 1):
        if BARE_WAIVER.search(line):
            yield Finding(source.path, number, "bare-waiver", "add the reason after the waiver: `# noqa: X - because`")


def no_unverified_events(source: Source) -> Iterator[Finding]:
    """What comes in the payment processor's name is proved: no source calls what reads it unproved."""
    if "/src/" not in source.path:
        return
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Attribute | ast.Name):
            continue
        name = node.attr if isinstance(node, ast.Attribute) else node.id
        if name.endswith(("_without_verification", "WithoutVerification")):
            message = f"`{name}` believes anybody; read it through adapters.payments.SignedEvents"
            yield Finding(source.path, node.lineno, "unverified-event", message)


def _is_command_line(path: str) -> bool:
    return "/cli/" in path or path.endswith("__main__.py") or "/commands/" in path


ALL_RULES: tuple[Rule, ...] = (
    file_length,
    function_length,
    no_float_in_money,
    no_wall_clock,
    no_print,
    module_name,
    module_docstring,
    no_later_notes,
    reasoned_waivers,
    no_unverified_events,
)
