"""Mutants of the money rules: change one thing in a module, run its tests, and see whether they notice.

`python -m tools.mutants [module…]` mutates modules of the domain (without arguments those that money rests on), one
change after the other, each in a fork whose import of that one module is mutated; nothing is written to disk. A
module's tests are those named after it, then those that import it. A mutant that no test kills is printed with its
line. Survivors that change nothing anybody could see are listed, with the reason, in `mutants.toml`. A module that
fails its tests unchanged stops the run: then nothing would be proved.
"""

import contextlib
import importlib.abc
import importlib.util
import io
import os
import re
import resource
import sys
import tomllib
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import Phase, settings

from tools.mutations import DOMAIN, Mutant, mutants, unchanged

TESTS = Path(__file__).parents[1] / "packages/server/tests/domain"
PACKAGE = "monkey_coder_server.domain"
MODULES = (
    *("money", "usage", "pricing", "price_overrides", "markup", "ledger", "leases", "limits", "receipts"),
    *("prompt_tokens", "tokenizers", "experience"),
    *("reconciliation", "discrepancies", "drift", "fees", "midnight", "invoices"),
    *("payment_books", "payment_sights", "top_ups", "subscriptions", "plans", "invoicing"),
)
KNOWN = Path(__file__).with_name("mutants.toml")
ENOUGH = 0.9
"""The share of each module's mutants that must be killed."""
SECONDS = 60
"""Of the processor's time, after which a mutant counts as killed: it runs for ever."""
POLITENESS = 15
"""How much a run steps back behind other work of the machine."""
OPTIONS = (
    *("-x", "-q", "--assert=plain", "--noconftest", "-p", "no:cacheprovider", "-p", "no:unraisableexception"),
    *("-o", "filterwarnings=", "-o", "addopts=--import-mode=importlib", "-W", "ignore"),
)


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


def covering(module: str) -> list[Path]:
    """The tests named after a module, then those that import it; where there are none, those of what imports it."""
    named = sorted({TESTS / f"test_{module}.py", *TESTS.glob(f"test_{module}_*.py")} & {*TESTS.glob("test_*.py")})
    importing = [path for path in sorted(TESTS.glob("test_*.py")) if path not in named and _imports(path, module)]
    users = [path.stem for path in sorted(DOMAIN.glob("*.py")) if _imports(path, module)]
    return [*named, *importing] or [path for user in users for path in covering(user)]


def _imports(path: Path, module: str) -> bool:
    return re.search(rf"^from {PACKAGE}\.{module} import", path.read_text(encoding="utf-8"), re.MULTILINE) is not None


def survives(mutant: Mutant) -> bool:
    """Whether the module's tests pass all the same."""
    child = os.fork()
    if child == 0:
        os._exit(_tested(mutant))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) == 0


def _tested(mutant: Mutant) -> int:
    """In the child: the exit code of the module's tests, the same in every run."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", deadline=None, derandomize=True, database=None, phases=phases)
    settings.load_profile("mutants")
    for name in [name for name in sys.modules if name.partition(".")[0] in {"monkey_coder_server", "packages"}]:
        del sys.modules[name]  # whoever runs this may have imported the module as it is
    sys.meta_path.insert(0, _Importer(mutant))
    try:
        return _pytest(covering(mutant.module))
    except BaseException:  # noqa: BLE001 - a mutant that breaks the run itself is noticed
        return 1


def _pytest(tests: Sequence[Path], *more: str) -> int:
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    return int(pytest.main([*OPTIONS, *more, *map(str, tests)]))


def main(names: Sequence[str]) -> int:
    """Print every survivor that is not explained; 1 when a module has too many."""
    os.nice(POLITENESS)
    with contextlib.redirect_stdout(io.StringIO()):
        _pytest(covering(MODULES[0]), "--collect-only")  # imports what pytest needs once for all forks
    known = tomllib.loads(KNOWN.read_text(encoding="utf-8"))["same"] if KNOWN.exists() else {}
    print(f"{'module':<16} {'mutants':>8} {'killed':>8} {'the same':>9} {'survive':>8} {'share':>7}", flush=True)
    total = dead = 0
    lacking = []
    for module in names or MODULES:
        if not survives(unchanged(module)):
            print(f"{module}: its own tests fail without any change")
            return 2
        made = list(mutants(module))
        same = unexplained = 0
        for mutant in filter(survives, made):
            if mutant.name in known:
                same += 1
            else:
                unexplained += 1
                print(f"    line {mutant.line}, {mutant.name}", flush=True)
        killed = len(made) - same - unexplained
        total, dead = total + len(made) - same, dead + killed
        share = killed / max(1, len(made) - same)
        print(f"{module:<16} {len(made):>8} {killed:>8} {same:>9} {unexplained:>8} {share:>7.1%}", flush=True)
        if share < ENOUGH:
            lacking.append(module)
    print(f"all: {dead} of {total} killed, {dead / max(1, total):.1%}; at least {ENOUGH:.0%} of each module is asked")
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
