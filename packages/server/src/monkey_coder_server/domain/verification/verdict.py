"""What checks found, one by one and together."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Outcome(StrEnum):
    """How one check ended. `NOT_APPLICABLE` says nothing about the answer, for or against it."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"


class Check(StrEnum):
    """The checks by name, as they are counted, learnt about and shown."""

    NOT_EMPTY = "not_empty"
    WHOLE = "whole"
    NO_REFUSAL = "no_refusal"
    JSON = "json"
    SCHEMA = "schema"
    TOOL_CALLS = "tool_calls"
    KNOWN_FILES = "known_files"
    PATCH_APPLIES = "patch_applies"
    SYNTAX = "syntax"


class Finding(NamedTuple):
    """One check's outcome and why, in one sentence without a word of the answer's own text beyond names and places."""

    check: Check
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings about one answer, in the order of `Check`."""

    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed. An answer that no check could judge passes: `ran` tells."""
        return not self.failures

    @property
    def failures(self) -> tuple[Finding, ...]:
        """The findings against the answer."""
        return tuple(each for each in self.findings if each.outcome is Outcome.FAILED)

    @property
    def ran(self) -> tuple[Check, ...]:
        """The checks that could say something."""
        return tuple(each.check for each in self.findings if each.outcome is not Outcome.NOT_APPLICABLE)


def passed(check: Check, reason: str) -> Finding:
    """The answer stands this check."""
    return Finding(check, Outcome.PASSED, reason)


def failed(check: Check, reason: str) -> Finding:
    """The answer does not stand this check."""
    return Finding(check, Outcome.FAILED, reason)


def not_applicable(check: Check, reason: str) -> Finding:
    """This check can say nothing here."""
    return Finding(check, Outcome.NOT_APPLICABLE, reason)
