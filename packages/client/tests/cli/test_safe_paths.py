"""A model's file names are untrusted."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monkey_coder.cli.artifacts import plan
from monkey_coder.cli.safe_paths import UnsafePath, safe_path
from monkey_coder_protocol.execute import Artifact

GOOD = [
    "a.py",
    "src/app/main.py",
    ".gitignore",
    ".github/workflows/ci.yml",
    "Dockerfile",
    "übung.py",
    "a b.txt",
    "con_fig.py",
    "...x",
    "-flag",
]
NASTY = [
    "",
    " ",
    ".",
    "..",
    "../x",
    "a/../x",
    "a/../../x",
    "a/..",
    "/etc/passwd",
    "//host/share",
    "~/.bashrc",
    "~root/x",
    "C:/x",
    "c:x",
    "C:\\x",
    "a\\..\\b",
    "\\\\host\\x",
    "a\0b",
    "a\nb",
    "a\x1b[31m",
    "\u202egpj.exe",
    "a\u200b.py",
    "a\u2028b",
    "a\ud800b",
    "a//b",
    "a/",
    "./a",
    "a/./b",
    "CON",
    "con.txt",
    "nul",
    "dir/AUX.py",
    "LPT1",
    "com¹.txt",
    "a./b",
    "a.",
    "a ",
    " a",
    "dir /a",
    ".git/hooks/pre-commit",
    ".GIT/config",
    "sub/.git/config",
    "git~1/config",
    "\uff0egit/config",
    "a?b",
    "a*b",
    "a|b",
    "<a>",
    'a"b',
    "x" * 256,
    "d/" * 600 + "x",
]


@pytest.mark.parametrize("name", GOOD)
def test_ordinary_names_stay_where_they_say(tmp_path: Path, name: str) -> None:
    assert safe_path(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize("name", NASTY, ids=[ascii(name)[:30] for name in NASTY])
def test_nasty_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnsafePath):
        safe_path(tmp_path, name)


@given(name=st.text(alphabet="a./\\~: \0.git", max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_ever_leads_out(tmp_path: Path, name: str) -> None:
    try:
        target = safe_path(tmp_path, name)
    except UnsafePath:
        return
    assert target.resolve().is_relative_to(tmp_path)
    assert target != tmp_path


def test_a_link_is_neither_followed_nor_written_through(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "out").symlink_to(outside)
    (root / "file.py").symlink_to(outside / "x.py")
    (root / "loose").symlink_to(root / "nowhere")
    for name in ("out/x.py", "file.py", "loose"):
        with pytest.raises(UnsafePath, match="link"):
            safe_path(root, name)


def test_a_link_that_stays_inside_is_fine(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "alias").symlink_to(tmp_path / "real")
    assert safe_path(tmp_path, "alias/x.py") == tmp_path / "alias/x.py"


def test_files_and_folders_cannot_change_places(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    with pytest.raises(UnsafePath, match="is a folder already"):
        safe_path(tmp_path, "folder")
    with pytest.raises(UnsafePath, match="where file is a file"):
        safe_path(tmp_path, "file/x.py")


@pytest.mark.parametrize("names", [("a.py", "a.py"), ("a.py", "A.PY"), ("a", "a/b")])
def test_names_that_collide_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(UnsafePath):
        plan(tmp_path, [Artifact(name=name, type="code", filename=name, content="") for name in names])
