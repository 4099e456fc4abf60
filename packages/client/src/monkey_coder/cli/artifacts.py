"""Write an answer's files: inside the folder, all or none, and nothing replaced unasked."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Literal

from monkey_coder.cli.safe_paths import UnsafePath, safe_path
from monkey_coder_protocol.execute import Artifact

State = Literal["new", "same", "different"]


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file to write. `before` is what stands there now (None: nothing)."""

    name: str
    target: Path
    content: bytes
    before: bytes | None

    @property
    def state(self) -> State:
        """Whether writing would make, keep or change the file."""
        if self.before is None:
            return "new"
        return "same" if self.before == self.content else "different"

    def difference(self) -> str:
        """A unified diff from what stands there to what would."""
        old = (self.before or b"").decode("utf-8", "replace").splitlines(keepends=True)
        new = self.content.decode("utf-8", "replace").splitlines(keepends=True)
        lines = unified_diff(old, new, fromfile=self.name, tofile=f"{self.name} (answer)")
        return "".join(line if line.endswith("\n") else f"{line}\n\\ no newline at end of file\n" for line in lines)


def plan(directory: Path, artifacts: Sequence[Artifact]) -> list[PlannedFile]:
    """Check every name before anything is written. Raises `UnsafePath`."""
    root = directory.resolve()
    planned: dict[str, PlannedFile] = {}
    for artifact in artifacts:
        name = artifact.filename or artifact.name
        target = safe_path(root, name)
        key = name.casefold()
        if key in planned:
            message = f"{name!r} comes twice"
            raise UnsafePath(message)
        planned[key] = PlannedFile(name, target, artifact.content.encode("utf-8", "replace"), _before(target))
    for key, file in planned.items():
        if any(other.startswith(f"{key}/") for other in planned):
            message = f"{file.name!r} is both a file and a folder"
            raise UnsafePath(message)
    return list(planned.values())


def write(directory: Path, planned: Sequence[PlannedFile]) -> None:
    """Write all files or none. Raises `OSError` after putting back what was there.

    Everything is first written beside its destination (a full disk shows here), then moved into place.
    """
    root = directory.resolve()
    changed = [file for file in planned if file.state != "same"]
    if not root.exists():
        _write_new_folder(root, changed)
        return
    with tempfile.TemporaryDirectory(dir=root, prefix=".monkey-") as staging:
        staged = [(_stage(Path(staging), index, file), file) for index, file in enumerate(changed)]
        _move_all(staged, Path(staging))


def _write_new_folder(root: Path, files: Sequence[PlannedFile]) -> None:
    """A folder that does not exist yet appears whole, by one rename."""
    root.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=root.parent, prefix=".monkey-"))
    try:
        for file in files:
            destination = staging / file.target.relative_to(root)
            destination.parent.mkdir(parents=True, exist_ok=True)
            _write_durably(destination, file.content)
        staging.chmod(0o777 & ~_umask())
        staging.rename(root)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _stage(staging: Path, index: int, file: PlannedFile) -> Path:
    staged = staging / f"{index}.new"
    _write_durably(staged, file.content)
    if file.before is not None:
        staged.chmod(file.target.stat().st_mode & 0o7777)
    return staged


def _move_all(staged: Sequence[tuple[Path, PlannedFile]], staging: Path) -> None:
    done: list[tuple[PlannedFile, Path | None]] = []
    folders: list[Path] = []
    try:
        for path, file in staged:
            folders += _make_folders(file.target.parent)
            kept = None
            if file.before is not None:
                kept = staging / f"{path.stem}.old"
                os.link(file.target, kept)
            done.append((file, kept))
            path.replace(file.target)
    except BaseException:
        for file, kept in reversed(done):
            if kept is not None:
                kept.replace(file.target)
            else:
                file.target.unlink(missing_ok=True)
        for folder in reversed(folders):
            folder.rmdir()
        raise


def _make_folders(folder: Path) -> list[Path]:
    missing = [above for above in (folder, *folder.parents) if not above.exists()][::-1]
    for above in missing:
        above.mkdir()
    return missing


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _before(target: Path) -> bytes | None:
    try:
        return target.read_bytes()
    except FileNotFoundError:
        return None


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current
