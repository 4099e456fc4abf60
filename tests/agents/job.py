"""One scripted task for a real agent: write a file by its own tool, then say so."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONTENT = "".join(f"hello from the gateway, line {number}\n" for number in range(20))
FILE = "hello.txt"


@dataclass(frozen=True, slots=True)
class Job:
    """What an agent is given. `model` as the gateway names it; `mark` is in no other prompt."""

    base_url: str
    key: str
    model: str
    home: Path
    work: Path
    mark: str

    @property
    def prompt(self) -> str:
        """What the user says."""
        return f"{self.mark} Write a greeting into {FILE}."

    @property
    def target(self) -> Path:
        """The file that must be there in the end."""
        return self.work / FILE


@dataclass(frozen=True, slots=True)
class Setup:
    """How an agent is started for a job, and what a model must say for it: directive fields of the simulators."""

    command: Sequence[str]
    script: Mapping[str, Any]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to use one agent. `models` are those it is tried on."""

    name: str
    prepare: Callable[[Job], Setup]
    models: Sequence[str]

    @property
    def agent(self) -> str:
        """Which program."""
        return self.name.partition(",")[0]
