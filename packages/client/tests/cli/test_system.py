"""The installed command as a process: signals, pipes, terminals, time."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from packages.client.tests.fake_gateway import ANSWER, KEY, Answer, FakeGateway, event, events, execution, serving

pytestmark = pytest.mark.system
COMMAND = [sys.executable, "-m", "monkey_coder.cli"]
ESCAPE = re.compile(r"\x1b[\[\]()][0-9;?]*[A-Za-z]?")


@pytest.fixture
def address(gateway: FakeGateway) -> Iterator[str]:
    with serving(gateway) as url:
        yield url


@pytest.fixture
def environ(home: Path, address: str) -> dict[str, str]:
    return {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "PYTHONWARNINGS": "error",
        "MONKEY_CODER_API_KEY": KEY,
        "MONKEY_CODER_BASE_URL": address,
    }


def start(environ: dict[str, str], *arguments: str, **options: object) -> "subprocess.Popen[bytes]":
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen([*COMMAND, *arguments], env=environ, **pipes)  # type: ignore[call-overload]  # pipes or files  # noqa: S603  # our own command


def finish(environ: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    process = start(environ, *arguments)
    out, err = process.communicate(timeout=30)
    return process.returncode, out.decode(), err.decode()


def on_terminal(environ: dict[str, str], *arguments: str, typed: bytes = b"", size: str = "24 80") -> tuple[int, str]:
    """Run on a pseudo-terminal; everything that was written to it."""
    mother, child = pty.openpty()
    rows, columns = size.split()
    process = start(environ | {"LINES": rows, "COLUMNS": columns}, *arguments, stdin=child, stdout=child, stderr=child)
    os.close(child)
    os.write(mother, typed)
    shown = b""
    while True:
        ready, _, _ = select.select([mother], [], [], 20)
        try:
            piece = os.read(mother, 65536) if ready else b""
        except OSError:  # Linux says so when the other end is closed
            piece = b""
        if not piece:
            break
        shown += piece
    os.close(mother)
    return process.wait(20), shown.decode()


def test_implement_over_a_real_socket(environ: dict[str, str]) -> None:
    code, out, err = finish(environ, "implement", "x", "-o", "out")
    assert (code, out) == (0, ANSWER)
    assert "receipt rcpt_1" in err
    assert Path("out/app/core.py").exists()


def test_piped_output_has_no_escape_codes(environ: dict[str, str]) -> None:
    for arguments in (["--help"], ["models"], ["implement", "x"], ["nonsense"]):
        _, out, err = finish(environ, *arguments)
        assert "\x1b" not in out + err


def test_a_terminal_sees_rendered_text_and_the_cost(environ: dict[str, str], gateway: FakeGateway) -> None:
    gateway.on("/v1/execute/stream", events(pause=0.03))
    code, shown = on_terminal(environ, "implement", "x")
    assert code == 0
    assert "\x1b[" in shown
    text = ESCAPE.sub("", shown)
    assert "openai/gpt-5-mini is answering" in text
    assert "Here is a small API" in text  # the Markdown asterisks are rendered away
    assert "receipt rcpt_1" in text


@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colours_a_terminal_gets_no_colour_codes(environ: dict[str, str], plain: dict[str, str]) -> None:
    for arguments in (["--help"], ["balance"], ["implement", "x", "--no-stream"]):
        code, shown = on_terminal(environ | plain, *arguments)
        assert code == 0
        assert not re.search(r"\x1b\[[0-9;]*m", shown)


def test_help_has_no_escape_codes_with_no_color(environ: dict[str, str]) -> None:
    assert "\x1b[" not in on_terminal(environ | {"NO_COLOR": "1"}, "--help")[1]


def test_an_answer_cannot_drive_the_terminal(environ: dict[str, str], gateway: FakeGateway) -> None:
    evil = "before \x1b]52;c;aGk=\x07\x1b[2J after"
    gateway.on("/v1/execute", Answer(200, {}, (json.dumps(execution(evil)).encode(),)))
    _, shown = on_terminal(environ, "implement", "x", "--no-stream")
    assert "\x1b]52" not in shown
    assert "\x1b[2J" not in shown
    assert "after" in shown


def test_control_c_ends_at_once_and_keeps_the_text(environ: dict[str, str], gateway: FakeGateway) -> None:
    gateway.on("/v1/execute/stream", events("one two three four five six", pause=0.4))
    begin = time.monotonic()
    process = start(environ, "implement", "x")
    assert process.stdout is not None
    first = os.read(process.stdout.fileno(), 100)
    told = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert time.monotonic() - told < max(0.5, told - begin)  # a busy machine starts and ends any program slowly
    assert process.returncode == 130
    assert (first + out).startswith(b"one ")
    assert b"six" not in first + out
    assert err.decode().endswith("Stopped.\n")
    assert b"Traceback" not in err


def test_sigterm_is_143(environ: dict[str, str], gateway: FakeGateway) -> None:
    gateway.on("/v1/execute/stream", events("one two three four five six", pause=0.4))
    process = start(environ, "implement", "x")
    assert process.stdout is not None
    os.read(process.stdout.fileno(), 100)
    process.terminate()
    _, err = process.communicate(timeout=10)
    assert process.returncode == 143
    assert b"Traceback" not in err


def test_a_reader_that_leaves_is_no_error(environ: dict[str, str], gateway: FakeGateway) -> None:
    gateway.on("/v1/execute/stream", events("word " * 200, pause=0.002))
    process = start(environ, "implement", "x")
    assert process.stdout is not None
    os.read(process.stdout.fileno(), 5)
    process.stdout.close()
    assert process.stderr is not None
    err = process.stderr.read()
    assert process.wait(10) == 141
    assert err == b""
    process.stderr.close()


def test_an_unreachable_gateway_is_told_within_three_seconds(environ: dict[str, str]) -> None:
    begin = time.monotonic()
    finish(environ, "--help")
    started = time.monotonic()
    code, out, err = finish(environ | {"MONKEY_CODER_BASE_URL": "http://127.0.0.1:1"}, "balance")
    assert time.monotonic() - started < 3 + 2 * (started - begin)  # a busy machine starts any program slowly
    assert (code, out) == (69, "")
    last = err.splitlines()[-1]
    assert "Cannot reach http://127.0.0.1:1" in last
    assert "--base-url" in last


@pytest.mark.parametrize("extra", [{"PYTHONIOENCODING": "ascii"}, {"LANG": "C", "PYTHONUTF8": "0", "LC_ALL": "C"}])
def test_a_poor_encoding_is_no_crash(environ: dict[str, str], gateway: FakeGateway, extra: dict[str, str]) -> None:
    text = "naïve 日本語 🐒 שלום"
    gateway.on("/v1/execute/stream", events(text, ending=event(type="complete", data=execution(text))))
    gateway.on("/v1/execute", Answer(200, {}, (json.dumps(execution(text)).encode(),)))
    code, out, _ = finish(environ | extra, "implement", "x")
    assert code == 0
    assert out.startswith("na")
    code, out, _ = finish(environ | extra, "implement", "x", "--json")
    assert json.loads(out)["result"]["result"] == text


def test_a_narrow_terminal_with_wide_text_is_no_crash(environ: dict[str, str], gateway: FakeGateway) -> None:
    text = "日本語のコード 🐒🐒🐒 שלום " * 10
    gateway.on("/v1/execute/stream", events(text, ending=event(type="complete", data=execution(text))))
    code, shown = on_terminal(environ, "implement", "x", size="5 40")
    assert code == 0
    assert "日本語" in shown
    assert on_terminal(environ, "models", size="5 20")[0] == 0


def test_help_and_version_are_quick(environ: dict[str, str]) -> None:
    def cpu(*command: str) -> float:
        best = 9.0
        for _ in range(4):
            before = os.times()
            subprocess.run(command, env=environ, check=True, capture_output=True)  # noqa: S603  # our own command
            after = os.times()
            best = min(
                best, after.children_user + after.children_system - before.children_user - before.children_system
            )
        return best

    bare = cpu(sys.executable, "-c", "pass")
    assert cpu(*COMMAND, "--help") - bare <= 0.2
    assert cpu(*COMMAND, "--version") - bare <= 0.1


def test_help_loads_no_network_and_no_terminal_library(environ: dict[str, str]) -> None:
    code = (
        "import sys; sys.argv = ['monkey', '--help']\n"
        "from monkey_coder.cli.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'httpx2', 'msgspec', 'rich', 'asyncio', 'ssl', 'monkey_coder.client'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    shown = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)  # noqa: S603  # our own command
    assert shown.stderr == "[]\n"
    assert shown.stdout.startswith("Usage: monkey")


def test_killed_between_the_files_of_a_new_folder_there_is_all_or_nothing(environ: dict[str, str]) -> None:
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from monkey_coder.cli import artifacts\n"
        "from monkey_coder_protocol.execute import Artifact\n"
        "real, count = artifacts._write_durably, [0]\n"
        "def write(path, content):\n"
        "    count[0] += 1\n"
        "    if count[0] == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    real(path, content)\n"
        "artifacts._write_durably = write\n"
        "files = [Artifact(name=n, type='code', filename=n, content=n) for n in ('a.py', 'b.py')]\n"
        "root = Path(sys.argv[1])\n"
        "artifacts.write(root, artifacts.plan(root, files))\n"
    )
    Path("old").mkdir()
    for folder in ("new", "old"):
        ended = subprocess.run([sys.executable, "-c", code, folder], env=environ, check=False)  # noqa: S603  # our own interpreter
        assert ended.returncode == -signal.SIGKILL
    assert not Path("new").exists()
    assert not list(Path("old").glob("*.py"))
