"""The parameters of a call, read name by name: what nobody read is refused, so nothing is silently ignored."""

from collections.abc import Collection, Mapping
from typing import Any, overload

from monkey_coder_server.sandbox.stripe.refusals import malformed

LONGEST = 5_000


class Parameters:
    """One level of a call's parameters. An empty text unsets, as it does at Stripe."""

    def __init__(self, given: Mapping[str, Any], path: str = "") -> None:
        self._given = given
        self._path = path
        self._read: set[str] = set()
        self._parts: list[Parameters] = []
        self.closed = False

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def is_text(self, name: str) -> bool:
        """Whether a plain value was given rather than a hash or a list."""
        return isinstance(self._given.get(name), str)

    @overload
    def text(self, name: str) -> str | None: ...
    @overload
    def text(self, name: str, default: str) -> str: ...
    def text(self, name: str, default: str | None = None) -> str | None:
        """A text; `default` when it was not given or is empty."""
        value = self._take(name)
        if value is None or value == "":
            return default
        if not isinstance(value, str):
            msg = f"Invalid string: {value}"
            raise malformed(msg, self._name(name))
        if len(value) > LONGEST:
            msg = f"Invalid string: must be at most {LONGEST} characters"
            raise malformed(msg, self._name(name))
        return value

    def needed(self, name: str) -> str:
        """A text that must be there."""
        value = self.text(name)
        if value is None:
            raise self._absent(name)
        return value

    def number(self, name: str, least: int = 0) -> int | None:
        """A whole number from `least` on."""
        value = self.text(name)
        if value is None:
            return None
        if not value.removeprefix("-").isdecimal():
            msg = f"Invalid integer: {value}"
            raise malformed(msg, self._name(name))
        if int(value) < least:
            msg = f"This value must be greater than or equal to {least}."
            raise malformed(msg, self._name(name))
        return int(value)

    def needed_number(self, name: str, least: int = 0) -> int:
        """A whole number that must be there."""
        value = self.number(name, least)
        if value is None:
            raise self._absent(name)
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        """`true` or `false`."""
        value = self.given_flag(name)
        return default if value is None else value

    def given_flag(self, name: str) -> bool | None:
        """`true` or `false`; None when it was not given."""
        value = self.choice(name, ("true", "false"))
        return None if value is None else value == "true"

    @overload
    def choice(self, name: str, options: Collection[str]) -> str | None: ...
    @overload
    def choice(self, name: str, options: Collection[str], default: str) -> str: ...
    def choice(self, name: str, options: Collection[str], default: str | None = None) -> str | None:
        """One of a few words."""
        value = self.text(name)
        if value is not None and value not in options:
            message = f"Invalid {self._name(name)}: must be one of {', '.join(options)}"
            raise malformed(message, self._name(name))
        return default if value is None else value

    def part(self, name: str) -> "Parameters":
        """A hash; one without anything when it was not given."""
        value = self._take(name)
        if value is None or value == "":
            value = {}
        if not isinstance(value, dict):
            raise malformed("Invalid object", self._name(name))
        return self._keep(Parameters(value, self._name(name)))

    def parts(self, name: str) -> list["Parameters"]:
        """A list of hashes."""
        value = self._take(name) or []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise malformed("Invalid array", self._name(name))
        return [self._keep(Parameters(item, f"{self._name(name)}[{place}]")) for place, item in enumerate(value)]

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        value = self._take(name) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise malformed("Invalid array", self._name(name))
        return value

    def metadata(self, before: Mapping[str, str] | None = None) -> dict[str, str]:
        """What an object's metadata become: given names replace, empty values remove, nothing given keeps."""
        value = self._take("metadata")
        if value == "":
            return {}
        merged = dict(before or {})
        for name, text in (value or {}).items():
            if len(name) > 40 or not isinstance(text, str) or len(text) > 500:
                raise malformed("Metadata names have at most 40, values at most 500 characters", "metadata")
            merged[name] = text
        kept = {name: text for name, text in merged.items() if text}
        if len(kept) > 50:
            raise malformed("Metadata have at most 50 names", "metadata")
        return kept

    def close(self) -> None:
        """Everything this call understands has been read: refuse the rest. Call it before the first change."""
        self.closed = True
        for name in self._given:
            if name not in self._read:
                message = f"Received unknown parameter: {self._name(name)} (or the simulator does not act on it)"
                raise malformed(message, self._name(name), "parameter_unknown")
        for part in self._parts:
            part.close()

    def _take(self, name: str) -> Any:
        self._read.add(name)
        return self._given.get(name)

    def _keep(self, part: "Parameters") -> "Parameters":
        self._parts.append(part)
        return part

    def _name(self, name: str) -> str:
        return f"{self._path}[{name}]" if self._path else name

    def _absent(self, name: str) -> Exception:
        return malformed(f"Missing required param: {self._name(name)}.", self._name(name), "parameter_missing")
