"""An empty mapping to stand where nothing was counted."""

from collections.abc import Mapping
from typing import Any, Final, NoReturn


class _Nothing(dict[str, int]):
    """A dictionary, for whoever writes records down knows those, where a read-only view would be copied first."""

    def _stays_empty(self, *_args: Any, **_more: Any) -> NoReturn:
        raise TypeError("it stays empty")

    __setitem__ = setdefault = update = __ior__ = _stays_empty


NOTHING: Final[Mapping[str, int]] = _Nothing()
"""Nothing by any name; nobody can put anything into it."""
