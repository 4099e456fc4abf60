"""Run the user's own check on files that an answer changed, and say to a model what it found."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from monkey_coder.errors import ConfigurationError
from monkey_coder.results import Execution
from monkey_coder_protocol.execute import FileData

TAIL_BYTES = 16_000
"""How much of a command's output is kept: its end, where the reasons stand."""
SECONDS = 300.0
"""How long a command may run when nothing is said."""
_WITHHELD = ("MONKEY_CODER_API_KEY",)
"""Variables that a command does not get: it runs code that a model wrote."""
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")


@dataclass(frozen=True, slots=True)
class Verification:
    """How a command ended. `exit_code` is None when it did not end in time and was stopped."""

    command: str
    exit_code: int | None
    seconds: float
    output_tail: str

    @property
    def passed(self) -> bool:
        """Whether it ended with 0."""
        return self.exit_code == 0

    @property
    def ending(self) -> str:
        """How it ended, in words."""
        if self.exit_code is None:
            return f"was stopped after {self.seconds:.1f} s"
        return f"ended with {self.exit_code} after {self.seconds:.1f} s"


def arguments(command: str) -> list[str]:
    """A command's words as a POSIX shell would split them; no shell runs it. Raises `ConfigurationError`."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        message = f"The command {command!r} cannot be read: {error}."
        raise ConfigurationError(message) from error
    if not words:
        raise ConfigurationError("The command to verify with is empty.")
    if "/" not in words[0] and os.sep not in words[0] and shutil.which(words[0]) is None:
        message = f"There is no command {words[0]!r} to verify with."
        raise ConfigurationError(message)
    return words


def verify(command: str, *, directory: Path | None = None, timeout: float = SECONDS) -> Verification:
    """Run a command in a folder (the current one when left out) for `timeout` seconds at most.

    It reads nothing, and its whole process group is stopped with it. Raises `ConfigurationError` for a command that
    cannot be read or found, `OSError` for one that cannot be started.
    """
    words = arguments(command)
    environ = {name: value for name, value in os.environ.items() if name not in _WITHHELD}
    begun = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603  # the user's own command, split without a shell
            words,
            cwd=directory,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        exit_code = _ended(process, timeout)
        return Verification(command, exit_code, time.monotonic() - begun, _tail(output))


def _ended(process: "subprocess.Popen[bytes]", timeout: float) -> int | None:
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        _stop(process)
        return None
    except BaseException:
        _stop(process)
        raise


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if os.name == "posix":
        with suppress(ProcessLookupError, PermissionError):  # what is left of a group that has just ended
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _tail(output: IO[bytes]) -> str:
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - TAIL_BYTES))
    text = _ESCAPES.sub("", output.read().decode("utf-8", "replace")).replace("\r\n", "\n")
    return text if size <= TAIL_BYTES else text.partition("\n")[2]


def repair_prompt(prompt: str, found: Verification) -> str:
    """What to ask a model after its answer did not pass: the task again, and what the command said."""
    return (
        f"{prompt}\n\nAn earlier answer to this did not pass; its files are among those given. The command"
        f" `{found.command}` {found.ending}. The end of its output:\n\n{_fenced(found.output_tail)}\n\n"
        "Correct the files: write every file that has to change, in full."
    )


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text.rstrip()}\n{fence}"


def repair_files(files: Sequence[FileData], answer: Execution) -> list[FileData]:
    """The files of the task with those of the answer in their place, or added."""
    found = {file.path: file for file in files}
    for made in answer.artifacts:
        found[made.filename] = FileData(path=made.filename, content=made.content, type=made.language)
    return list(found.values())
