"""The package is typed for its users, not only inside."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = Path(__file__).with_name("typing_sample.py")


def check(path: Path, cache: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(cache), str(path)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)  # noqa: S603  # our own tool


@pytest.mark.system
def test_a_users_program_passes_mypy_strict_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        SAMPLE.read_text()
        .replace('persona": "tester"', 'persona": 7')
        .replace("mk-…", "mk")
        .replace('collapse": "vote"', 'collapse": "magic"')
        .replace("model=", "modle=")
    )
    shown = check(SAMPLE, tmp_path / "cache")
    assert shown.returncode == 0, shown.stdout
    refused = check(wrong, tmp_path / "cache")
    assert refused.returncode == 1
    assert "modle" in refused.stdout
    assert '"persona"' in refused.stdout
    assert '"collapse"' in refused.stdout
