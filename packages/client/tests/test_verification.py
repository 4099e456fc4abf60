"""The user's own command on an answer's files, and what a model is told of it."""

import json
import shlex
import sys
import time
from pathlib import Path

import pytest

from monkey_coder import ConfigurationError, Execution, FileData, repair_files, repair_prompt, verify
from monkey_coder.verification import TAIL_BYTES, Verification, arguments
from packages.client.tests.fake_gateway import execution


def python(code: str) -> str:
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


def an_execution() -> Execution:
    import msgspec

    return msgspec.json.decode(json.dumps(execution()), type=Execution)


def test_a_command_that_ends_with_0_passes_and_any_other_fails() -> None:
    good, bad = verify(python("print('fine')")), verify(python("import sys; sys.exit('bad')"))
    assert (good.passed, good.exit_code, good.output_tail) == (True, 0, "fine\n")
    assert (bad.passed, bad.exit_code, bad.output_tail) == (False, 1, "bad\n")
    assert bad.ending.startswith("ended with 1 after ")


def test_no_shell_runs_and_nothing_is_read(tmp_path: Path) -> None:
    assert verify(
        python("import sys; print(sys.argv[1:], repr(sys.stdin.read()))") + " '$HOME' '; ls'"
    ).output_tail == ("['$HOME', '; ls'] ''\n")
    assert verify(python("import os; print(os.getcwd())"), directory=tmp_path).output_tail.strip() == str(tmp_path)


def test_the_command_does_not_get_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONKEY_CODER_API_KEY", "mk-secret")
    assert "mk-secret" not in verify(python("import os; print(dict(os.environ))")).output_tail


def test_a_command_that_does_not_end_is_stopped_with_its_children(tmp_path: Path) -> None:
    late = tmp_path / "late"
    child = f"import time; time.sleep(1.5); open({str(late)!r}, 'w')"
    found = verify(python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"), timeout=0.5)
    assert (found.passed, found.exit_code) == (False, None)
    assert found.ending.startswith("was stopped after ")
    time.sleep(1.5)
    assert not late.exists()


def test_only_the_end_of_long_output_is_kept_without_escape_codes() -> None:
    found = verify(python("[print('\\x1b[31mline', n, '\\x1b[0m') for n in range(20000)]"))
    assert found.output_tail.endswith("line 19999 \n")
    assert found.output_tail.startswith("line ")
    assert len(found.output_tail) <= TAIL_BYTES


@pytest.mark.parametrize(
    ("command", "said"),
    [("'open", "cannot be read"), (" ", "is empty"), ("no-such-command-here -q", "There is no command")],
)
def test_a_command_that_cannot_run_is_told_before(command: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        arguments(command)


def test_a_command_by_path_may_come_with_the_answer() -> None:
    assert arguments("./run tests") == ["./run", "tests"]
    with pytest.raises(OSError, match="run"):
        verify("./run tests")


def test_a_model_is_told_the_task_the_command_and_the_end_of_its_output() -> None:
    told = repair_prompt("add paging", Verification("pytest -q", 1, 2.04, "```\n1 failed\n"))
    assert told.startswith("add paging\n\n")
    assert "`pytest -q` ended with 1 after 2.0 s" in told
    assert "````\n```\n1 failed\n````" in told


def test_the_answers_files_take_the_place_of_those_given() -> None:
    given = [FileData(path="main.py", content="old"), FileData(path="b.py", content="b")]
    found = {file.path: file.content for file in repair_files(given, an_execution())}
    assert found == {"main.py": "print('hello')\n", "b.py": "b", "app/core.py": "ANSWER = 42\n"}
