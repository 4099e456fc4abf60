"""Tools in namespaces under one flat name each, as every other dialect needs, and the way back."""

import re
import zlib
from typing import Final, NamedTuple

LONGEST: Final = 64
"""Characters of a function's name at OpenAI chat; the others allow at least as many."""
_DEFAULT_NAMESPACE: Final = "functions"
"""OpenAI's own name for tools that stand in no namespace."""
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")


class Spoken(NamedTuple):
    """A tool as the caller knows it."""

    namespace: str | None
    name: str
    custom: bool = False
    """It takes free text."""


class ToolNames:
    """The tools of one request. Equal requests give equal names, and later tools never rename earlier ones."""

    __slots__ = ("_flat", "_spoken")

    def __init__(self) -> None:
        self._flat: dict[tuple[str | None, str], str] = {}
        self._spoken: dict[str, Spoken] = {}

    def add(self, spoken: Spoken) -> str:
        """The flat name of a tool; the same again when it is defined again."""
        place = (spoken.namespace, spoken.name)
        flat = self._flat.get(place)
        if flat is None:
            flat = self._flat[place] = self._free(_joined(spoken.namespace, spoken.name))
        self._spoken[flat] = spoken
        return flat

    def flat(self, namespace: str | None, name: str) -> str:
        """The flat name of a tool that is called; clients may leave the namespace out."""
        known = self._flat.get((namespace, name))
        if known is None and namespace is None:
            known = next((flat for (_, inner), flat in self._flat.items() if inner == name), None)
        return _fitted(_joined(namespace, name)) if known is None else known

    def spoken(self, flat: str) -> Spoken:
        """The tool a model called by its flat name; one it made up is passed on as it is."""
        return self._spoken.get(flat) or Spoken(None, flat)

    def _free(self, wanted: str) -> str:
        """A name nobody has yet."""
        name, number = _fitted(wanted), 2
        while name in self._spoken:
            name, number = _fitted(f"{wanted}_{number}"), number + 1
        return name


def _joined(namespace: str | None, name: str) -> str:
    return name if namespace in {None, _DEFAULT_NAMESPACE} else f"{namespace}__{name}"


def _fitted(name: str) -> str:
    """The name in the letters and length every provider takes; a long one keeps its end apart by a checksum."""
    safe = _NOT_IN_NAMES.sub("_", name)
    return safe if len(safe) <= LONGEST else f"{safe[: LONGEST - 9]}_{zlib.crc32(name.encode()):08x}"
