"""Where `make agents` puts the programs it installs, and how one is run away from the developer's own files."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(os.environ.get("AGENTS_DIR") or Path.home() / ".cache" / "monkey-coder-agents")
PROGRAMS: Mapping[str, tuple[str, Sequence[str]]] = {
    "claude": ("agents/node_modules/@anthropic-ai/claude-code-linux-x64/claude", ()),
    "codex": ("agents/node_modules/@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex", ()),
    "opencode": ("agents/node_modules/opencode-linux-x64-baseline/bin/opencode", ()),
    "gemini": ("agents/node_modules/@google/gemini-cli/bundle/gemini.js", ("node",)),
    "aider": ("aider/bin/aider", ()),
    "llm": ("llm/bin/llm", ()),
    "aimock": ("aimock/node_modules/@copilotkit/aimock/dist/cli.js", ("node",)),
}
"""The program's file below the folder, and what runs it. npm's own launchers need scripts that are not run here."""
NOWHERE = "http://127.0.0.1:9"
"""Where anything but loopback is sent: nothing listens there."""


class NotInstalled(Exception):
    """A program is missing: said aloud, never passed over."""


def command(name: str) -> list[str]:
    """How a program is started. Raises `NotInstalled`."""
    path, runner = PROGRAMS[name]
    program = FOLDER / path
    if not program.exists():
        message = f"{name} is not installed at {program}; `make agents` installs it"
        raise NotInstalled(message)
    return [*runner, str(program)]


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a program: None for a status that had to be forced on it."""

    status: int | None
    seconds: float
    output: str


def run(arguments: Sequence[str], *, home: Path, work: Path, environment: Mapping[str, str], patience: float) -> Ran:
    """Run a program in `work` with an empty environment of its own; it reaches loopback alone."""
    own = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1,localhost",
        "DO_NOT_TRACK": "1",
    }
    started = time.monotonic()
    process = subprocess.Popen(
        list(arguments),
        cwd=work,
        env={**own, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=patience)
        status: int | None = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        output, _ = process.communicate()
        status = None
    return Ran(status, time.monotonic() - started, output.decode(errors="replace"))
