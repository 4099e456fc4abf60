"""`python -m tools.frozen [COMMIT]`: freeze what the code of a commit (by default the last one) says to the database.

Written beside the tests, into a folder named by the schema revision of that code. The first step of a new revision, and
before the code of the old one is changed: see `docs/how-to/migrations.md`.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "packages/server/tests/adapters/storage/frozen"
SOURCES = ("packages/protocol/src", "packages/client/src", "packages/server/src")
SPEAKING = "tools/frozen/speaking.py"
TAKEN = (*SOURCES, "tools/frozen", "packages/server/tests/contract/booking.py")


def freeze(commit: str, target: Path) -> str:
    """Write the folder of the revision of a commit's code below `target`; the revision."""
    with tempfile.TemporaryDirectory() as folder:
        sources, written = Path(folder, "sources"), Path(folder, "written")
        written.mkdir()
        archive = subprocess.run(
            ["git", "archive", commit, *TAKEN],  # noqa: S607 - git is looked for on the PATH
            cwd=ROOT,
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        with tarfile.open(fileobj=BytesIO(archive)) as files:
            files.extractall(sources, filter="data")
        revision = speak(sources, written)
        shutil.rmtree(target / revision, ignore_errors=True)
        shutil.copytree(written, target / revision)
    return revision


def speak(sources: Path, target: Path) -> str:
    """Have the code in a copy of the repository write down what it says; its revision."""
    path = os.pathsep.join([*[str(sources / each) for each in SOURCES], str(sources)])
    done = subprocess.run(
        [sys.executable, str(sources / SPEAKING), str(target)],
        cwd=target,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def main(arguments: Sequence[str]) -> int:
    """Freeze, and say what was written."""
    commit = arguments[0] if arguments else "HEAD"
    revision = freeze(commit, TARGET)
    print(f"what the code of {commit} says on revision {revision} stands in {(TARGET / revision).relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
