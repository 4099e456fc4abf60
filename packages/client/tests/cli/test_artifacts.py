"""Files are written all or none."""

import os
import stat
from pathlib import Path

import pytest

from monkey_coder.cli import artifacts
from monkey_coder_protocol.execute import Artifact


def files(**contents: str) -> list[Artifact]:
    return [
        Artifact(name=name, type="code", filename=name.replace("__", "/").replace("_", "."), content=content)
        for name, content in contents.items()
    ]


def tree(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


def write(root: Path, given: list[Artifact]) -> list[artifacts.PlannedFile]:
    planned = artifacts.plan(root, given)
    artifacts.write(root, planned)
    return planned


@pytest.mark.parametrize("exists", [True, False])
def test_new_files_and_folders_are_made(tmp_path: Path, exists: bool) -> None:
    root = tmp_path / "deep" / "out"
    if exists:
        root.mkdir(parents=True)
    planned = write(root, files(main_py="1", app__core_py="é"))
    assert tree(root) == {"main.py": "1", "app/core.py": "é"}
    assert [file.state for file in planned] == ["new", "new"]
    assert list(root.parent.iterdir()) == [root]


def test_modes_follow_the_umask_and_an_executable_stays_one(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        (tmp_path / "run.sh").write_text("old")
        (tmp_path / "run.sh").chmod(0o755)
        write(tmp_path, files(run_sh="new", data_txt="x"))
        write(tmp_path / "fresh", files(data_txt="x"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "run.sh").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "data.txt").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "fresh").stat().st_mode) == 0o750


def test_states_tell_what_writing_would_do(tmp_path: Path) -> None:
    (tmp_path / "same.py").write_text("1")
    (tmp_path / "old.py").write_text("1\n")
    planned = artifacts.plan(tmp_path, files(same_py="1", old_py="2", new_py="3"))
    assert {file.name: file.state for file in planned} == {"same.py": "same", "old.py": "different", "new.py": "new"}
    shown = planned[1].difference()
    assert "-1\n" in shown
    assert "+2\n\\ no newline at end of file" in shown


def test_an_unchanged_file_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "same.py").write_text("1")
    inode = (tmp_path / "same.py").stat().st_ino
    write(tmp_path, files(same_py="1"))
    assert (tmp_path / "same.py").stat().st_ino == inode


@pytest.mark.parametrize("failing", [1, 2, 3])
def test_when_one_move_fails_everything_is_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    (tmp_path / "a.py").write_text("old a")
    (tmp_path / "c.py").write_text("old c")
    planned = artifacts.plan(tmp_path, files(a_py="new a", sub__b_py="new b", c_py="new c"))
    real, calls = Path.replace, [0]

    def replace(self: Path, target: Path) -> Path:
        if self.suffix == ".new":
            calls[0] += 1
            if calls[0] == failing:
                raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(OSError, match="Input/output"):
        artifacts.write(tmp_path, planned)
    assert tree(tmp_path) == {"a.py": "old a", "c.py": "old c"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.py", "c.py"]


@pytest.mark.parametrize("exists", [True, False])
def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool) -> None:
    root = tmp_path / "out"
    if exists:
        root.mkdir()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write(root, files(a_py="1", b_py="2"))
    assert tree(tmp_path) == {}
    assert [path.name for path in tmp_path.iterdir()] == (["out"] if exists else [])
