"""Packages of which a process that serves uses some modules, but not what the package itself gathers.

Importing a module runs the `__init__` of its package first, and those named here import command lines and web
servers. Theirs waits until something is asked of the package that is none of its modules.
"""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

GATHERING: Mapping[str, Mapping[str, str]] = {"prometheus_client": {}, "uvicorn": {"Config": "uvicorn.config"}}
"""Each with the modules of what its own modules ask of it. Some 4 MiB, click and the standard library's HTTP server."""


class _Deferred(ModuleType):
    """A package that has not run its `__init__`; once it has, it is a module like any other."""

    _elsewhere: Mapping[str, str]
    _run: Callable[[ModuleType], None]

    def __getattr__(self, name: str) -> Any:
        """What the package does not have yet: a module of its own, or what its `__init__` gathers."""
        if name in self._elsewhere:
            return getattr(import_module(self._elsewhere[name]), name)
        module = f"{self.__name__}.{name}"
        if find_spec(module) is not None:
            return import_module(module)
        self.__class__ = ModuleType  # type: ignore[assignment]  # Python allows it for modules
        self._run(self)
        return getattr(self, name)


def defer(packages: Mapping[str, Mapping[str, str]] = GATHERING) -> None:
    """Let modules of these packages be imported without the rest. What is imported already stays as it is."""
    for name, elsewhere in packages.items():
        if name in sys.modules:
            continue
        spec = find_spec(name)
        if spec is None or spec.loader is None:  # whoever imports it is told so
            continue
        package = module_from_spec(spec)
        package.__class__ = _Deferred
        vars(package).update(_elsewhere=elsewhere, _run=spec.loader.exec_module)
        sys.modules[name] = package
