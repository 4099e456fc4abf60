"""Bodies and queries as Stripe nests them: `a[b][0][c]=v`, `expand[]=v`."""

import re
from typing import Any
from urllib.parse import parse_qsl

_NAME = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")


class BrokenForm(ValueError):
    """The names of a form contradict one another or are none."""


def decode(text: str) -> dict[str, Any]:
    """The tree a form spells. Values stay text. Raises `BrokenForm`."""
    root: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        spelled = _NAME.match(name)
        if spelled is None:
            message = f"Invalid parameter name: {name}"
            raise BrokenForm(message)
        _put(root, [spelled[1], *re.findall(r"\[([^\[\]]*)\]", spelled[2])], value)
    return {name: value if name == "metadata" else _listed(value) for name, value in root.items()}


def _put(root: dict[str, Any], steps: list[str], value: str) -> None:
    here = root
    for step in steps[:-1]:
        here = here.setdefault(step or str(len(here)), {})
        if not isinstance(here, dict):
            message = f"Invalid parameter: {steps[0]} is both a value and a hash"
            raise BrokenForm(message)
    last = steps[-1] or str(len(here))
    if last in here:
        message = f"Invalid parameter: {'.'.join(steps)} is given twice"
        raise BrokenForm(message)
    here[last] = value


def _listed(value: Any) -> Any:
    """Hashes whose names count from 0 are lists; metadata's names are its owner's and never count."""
    if not isinstance(value, dict):
        return value
    if value and all(name == str(number) for number, name in enumerate(value)):
        return [_listed(item) for item in value.values()]
    return {name: item if name == "metadata" else _listed(item) for name, item in value.items()}
