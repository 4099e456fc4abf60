"""`monkey-server` that dies by its own hand: `python -m tests.kills.launcher POINT PASS serve …`.

The functions of the point are wrapped before the gateway starts; at the given pass the process sends itself SIGKILL.
"""

import functools
import importlib
import inspect
import itertools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from monkey_coder_server.__main__ import main
from tests.kills.points import AFTER, BEFORE, POINTS, Point


def arm(point: Point, deadly: int) -> None:
    """Let the process die at a pass of the point."""
    passes = itertools.count(1)

    def passed(when: str, itself: Any) -> None:
        if when == point.when and point.only(itself) and next(passes) == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    for target in point.targets:
        module, _, path = target.partition(":")
        cls, _, name = path.partition(".")
        owner = getattr(importlib.import_module(module), cls)
        setattr(owner, name, _wrapped(getattr(owner, name), passed))


def _wrapped(real: Callable[..., Any], passed: Callable[[str, Any], None]) -> Callable[..., Any]:
    @functools.wraps(real)
    def plain(itself: Any, *arguments: Any, **named: Any) -> Any:
        passed(BEFORE, itself)
        result = real(itself, *arguments, **named)
        passed(AFTER, itself)
        return result

    @functools.wraps(real)
    async def awaited(itself: Any, *arguments: Any, **named: Any) -> Any:
        passed(BEFORE, itself)
        result = await real(itself, *arguments, **named)
        passed(AFTER, itself)
        return result

    return awaited if inspect.iscoroutinefunction(real) else plain


if __name__ == "__main__":
    name, deadly, *arguments = sys.argv[1:]
    arm(next(point for point in POINTS if point.name == name), int(deadly))
    sys.exit(main(arguments))
