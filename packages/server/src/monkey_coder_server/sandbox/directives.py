"""Steering of single requests: directive fields from rules, header and prompt text, checked and merged."""

import re
import shlex
from dataclasses import dataclass, field, fields, replace
from typing import Any, NoReturn

import msgspec

ERROR_FAULTS = frozenset({"400", "401", "402", "403", "404", "413", "429", "quota", "500", "502", "503", "529"})
UNBILLED_FAULTS = frozenset({"hang", "reset", "cut", "eof", "garbage", "error_event", "huge"})
FAULTS = (
    ERROR_FAULTS
    | UNBILLED_FAULTS
    | {
        "slow_first_byte",
        "slow_drip",
        "garbage_frame",
        "no_end",
        "crlf",
        "no_usage",
        "no_limit",
        "absurd_usage",
        "empty",
        "refusal",
        "content_filter",
    }
)
_TEXT = re.compile(r"\[\[sandbox\s+(.*?)\]\](?!\])", re.DOTALL)


class DirectiveError(ValueError):
    """A directive nobody can follow; the message says which field and why."""


def _wrong(message: str) -> NoReturn:
    raise DirectiveError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """What a request is told to do; the defaults leave it alone."""

    fault: str = ""
    retry_after: str = ""
    message: str = ""
    after: int = 3
    delay: float | None = None
    size: int = 64 * 1_024 * 1_024
    tool: str = ""
    parallel: int = 1
    args: dict[str, Any] | None = None
    text: str | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    first_token_ms: float = 0.0
    tokens_per_second: float = 0.0
    chunk: int = 0
    split: int = 0

    def __post_init__(self) -> None:
        if self.fault and self.fault not in FAULTS:
            _wrong(f"unknown fault {self.fault!r}; known: {', '.join(sorted(FAULTS))}")


NOTHING = Directive()
_CASTS: dict[str, type[int] | type[float] | type[str]] = {
    "after": int,
    "size": int,
    "parallel": int,
    "chunk": int,
    "split": int,
    "output_tokens": int,
    "reasoning_tokens": int,
    "delay": float,
    "first_token_ms": float,
    "tokens_per_second": float,
    "fault": str,
    "retry_after": str,
    "message": str,
    "tool": str,
    "text": str,
}
_FIELDS = frozenset(item.name for item in fields(Directive))
_FILTERS = frozenset({"provider", "model"})


def applied(base: Directive, settings: dict[str, Any], *, provider: str, model: str) -> Directive:
    """The base with these settings on top, unless their filter names another provider or model.

    Raises DirectiveError on an unknown field or a value of the wrong kind.
    """
    unknown = settings.keys() - _FIELDS - _FILTERS
    if unknown:
        _wrong(f"unknown directive field {', '.join(sorted(unknown))}")
    if settings.get("provider", provider) != provider or not model.startswith(settings.get("model", "")):
        return base
    return replace(base, **{key: _value(key, value) for key, value in settings.items() if key not in _FILTERS})


def _value(key: str, value: Any) -> Any:
    try:
        if key == "args":
            decoded = msgspec.json.decode(value) if isinstance(value, str) else value
            if not isinstance(decoded, dict):
                raise DirectiveError("directive field args must be a JSON object")
            return decoded
        return _CASTS[key](value)
    except (TypeError, ValueError, msgspec.DecodeError) as error:
        message = f"directive field {key}: {error}"
        raise DirectiveError(message) from error


def taken_from(text: str) -> tuple[str, tuple[str, ...]]:
    """A prompt without its `[[sandbox …]]` directives, and the directives."""
    if "[[sandbox" not in text:
        return text, ()
    return _TEXT.sub("", text).strip(), tuple(_TEXT.findall(text))


def parsed(written: str) -> dict[str, Any]:
    """The settings of one text directive: `key=value` words, quoted as in a shell."""
    try:
        words = shlex.split(written)
    except ValueError as error:
        message = f"directive cannot be read: {error}"
        raise DirectiveError(message) from error
    pairs = [word.partition("=") for word in words]
    missing = [key for key, equals, _ in pairs if not equals]
    if missing:
        _wrong(f"directive word without a value: {missing[0]}")
    return {key: value for key, _, value in pairs}


@dataclass(slots=True)
class Rule:
    """A scripted directive for matching requests, the next `remaining` of them or all (None)."""

    settings: dict[str, Any]
    provider: str = ""
    model: str = ""
    contains: str = ""
    remaining: int | None = None

    def matches(self, provider: str, model: str, prompt: str) -> bool:
        """Whether the rule is meant for this request."""
        return (
            self.remaining != 0
            and self.provider in {"", provider}
            and model.startswith(self.model)
            and self.contains in prompt
        )


@dataclass(slots=True)
class Script:
    """The rules in force. Later rules win over earlier ones, field by field."""

    rules: list[Rule] = field(default_factory=list)

    @classmethod
    def of(cls, document: object) -> "Script":
        """Read `{"rules": [{…}]}`. Raises DirectiveError."""
        if not isinstance(document, dict) or not isinstance(document.get("rules"), list):
            raise DirectiveError('a script is {"rules": [{…}, …]}')
        return cls([_rule(entry) for entry in document["rules"]])

    def directive(self, provider: str, model: str, prompt: str) -> Directive:
        """What the rules say to this request; uses up one turn of each rule that matches."""
        result = NOTHING
        for rule in self.rules:
            if rule.matches(provider, model, prompt):
                if rule.remaining is not None:
                    rule.remaining -= 1
                result = applied(result, rule.settings, provider=provider, model=model)
        return result


def _rule(entry: object) -> Rule:
    if not isinstance(entry, dict):
        raise DirectiveError("a rule is a JSON object")
    settings = dict(entry)
    times = settings.pop("times", None)
    rule = Rule(
        provider=str(settings.pop("provider", "")),
        model=str(settings.pop("model", "")),
        contains=str(settings.pop("contains", "")),
        remaining=None if times is None else int(times),
        settings=settings,
    )
    applied(NOTHING, settings, provider="", model="")
    return rule
