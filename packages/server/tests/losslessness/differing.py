"""Tells two values apart in words a reader of the reference understands."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

LONGEST = 200
"""Characters of a value that are shown."""


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Where two values differ, by the names on the way there."""
    if ours == theirs or (nothing(ours) and nothing(theirs)):
        return
    if is_dataclass(ours) and type(ours) is type(theirs):
        for each in fields(ours):  # type: ignore[arg-type] - an instance, by the line above
            yield from differences(getattr(ours, each.name), getattr(theirs, each.name), _step(path, each.name))
    elif isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        for name in {**ours, **theirs}:
            yield from differences(ours.get(name), theirs.get(name), _step(path, str(name)))
    elif isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
        yield from _of_lists(ours, theirs, path)
    else:
        yield f"{path}: {_shown(ours)} becomes {_shown(theirs)}"


def _of_lists(ours: list[Any] | tuple[Any, ...], theirs: list[Any] | tuple[Any, ...], path: str) -> Iterator[str]:
    if len(ours) == len(theirs):
        for one, other in zip(ours, theirs, strict=True):
            yield from differences(one, other, path)
        return
    lost = [one for one in ours if one not in theirs]
    added = [one for one in theirs if one not in ours]
    if lost:
        yield f"{path}: left out {', '.join(map(_shown, lost))}"
    if added:
        yield f"{path}: added {', '.join(map(_shown, added))}"


def nothing(value: Any) -> bool:
    """Whether a value says nothing."""
    return value is None or value in ((), [], "", {})


def _step(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _shown(value: Any) -> str:
    if nothing(value):
        return "nothing"
    return f"`{_plain(value)[:LONGEST]}`"


def _plain(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(_plain, value))
    if is_dataclass(value):
        told = ((each.name, getattr(value, each.name)) for each in fields(value))  # type: ignore[arg-type] - an instance
        inner = ", ".join(f"{name} {_plain(one)}" for name, one in told if not nothing(one) and one is not False)
        return f"{type(value).__name__}({inner})"
    return " ".join(str(value).split())
