"""Which Python `make setup` takes when nobody said which."""

import subprocess
from pathlib import Path

import pytest

FINDER = Path(__file__).parents[1] / "tools/find_python.sh"


def found(folder: Path, microseconds: dict[str, int]) -> str:
    """What is named where these are on the path, each needing so long; 0 stands for one that is of no use."""
    for name, taken in microseconds.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{f'echo {taken}' if taken else 'exit 1'}\n", encoding="utf-8")
        program.chmod(0o755)
    environment = {"PATH": str(folder)}
    done = subprocess.run(["/bin/sh", str(FINDER)], env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip().removeprefix(f"{folder}/")


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        ({"python3": 1000}, "python3"),
        ({"python3": 1000, "python3.13": 790}, "python3.13"),
        ({"python3": 1000, "python3.13": 810}, "python3"),
        ({"python3": 1000, "python3.11": 700, "python3.13": 650}, "python3.11"),
        ({"python3": 1000, "python3.11": 700, "python3.13": 500}, "python3.13"),
        ({"python3": 0, "python3.12": 5000}, "python3.12"),
        ({"python3": 1000, "python3.12": 0}, "python3"),
        ({}, "python3"),
    ],
)
def test_another_is_taken_only_where_it_is_much_faster(tmp_path: Path, there: dict[str, int], taken: str) -> None:
    assert found(tmp_path, there) == taken


def test_a_python_of_this_machine_can_be_asked() -> None:
    named = subprocess.run(["/bin/sh", str(FINDER)], capture_output=True, text=True, check=True).stdout.strip()
    version = "import sys; sys.exit(sys.version_info < (3, 11))"
    assert subprocess.run([named, "-c", version], check=False).returncode == 0
