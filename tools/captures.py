"""Writes docs/tutorial/captures/: a newcomer's first commands as a terminal shows them, and pages as a browser does.

`python -m tools.captures` runs a gateway with simulated providers and a user on a computer of their own, in a temporary
folder. The pages need the command `chromium`; without it their pictures stay as they are.
"""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tools.person import Person
from tools.processes import BIN, free_port, server

TARGET = Path(__file__).resolve().parents[1] / "docs" / "tutorial" / "captures"
EMAIL = "ada@example.com"
PASSWORD = "several plain words together"  # noqa: S105 - of an account that lives for some seconds
DESKTOP, PHONE = (900, 840), (500, 860)
SECONDS = 120.0
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\x07")
_USER_CODE = re.compile(r"\b[B-Z]{4}-[B-Z]{4}\b")


@dataclass
class Desk:
    """A terminal on a fresh computer: what is typed and shown goes into `shown`."""

    folder: Path
    environment: Mapping[str, str]
    shown: str = ""

    def type(self, *words: str, answers: Sequence[tuple[str, str]] = ()) -> str:
        """Run a command in a pseudo-terminal, answer its questions in turn, and keep what the terminal showed."""
        shell = " ".join(f'"{word}"' if " " in word else word for word in ("monkey", *words))
        with self.running(*words) as (leader, process):
            text = ""
            for question, answer in answers:
                text += _read_until(leader, question)
                os.write(leader, f"{answer}\n".encode())
            text += _read_rest(leader, process)
        return self.keep(shell, text)

    def keep(self, shell: str, text: str) -> str:
        """Note a command and its output as they look to a person."""
        plain = _CONTROLS.sub("", text).strip("\n")
        self.shown += f"$ {shell}\n{plain}\n"
        return plain

    @contextmanager
    def running(self, *words: str) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
        """The command with a terminal of its own: our end of it, and the process."""
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            [str(BIN / "monkey"), *words],
            cwd=self.folder,
            env=self.environment,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
        )
        os.close(follower)
        try:
            yield leader, process
        finally:
            process.kill()
            process.wait()
            os.close(leader)


def main() -> int:
    """Take every capture anew."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="monkey-captures-") as folder:
        port, metrics_port = free_port(), free_port()
        arguments = [
            "serve",
            "--sandbox",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--metrics-port",
            str(metrics_port),
        ]
        with server(arguments, {"DATA_DIR": f"{folder}/data", "LOG_LEVEL": "warning"}, port, "/health", quiet=True):
            base_url = f"http://127.0.0.1:{port}"
            _terminal(Path(folder), base_url)
            _pages(Path(folder), base_url)
    return 0


def _terminal(folder: Path, base_url: str) -> None:
    desk = _desk(folder / "home", base_url)
    asked = [("Email: ", EMAIL), ("more): ", PASSWORD), ("confirmation: ", PASSWORD)]
    desk.type("auth", "register", answers=asked)
    desk.type("auth", "status")
    desk.type("implement", "create a REST API", "-o", "api")
    _write("first-task.txt", desk)
    away = _desk(folder / "container", base_url)
    with away.running("auth", "login", "--device") as (leader, process):
        text = _read_until(leader, "minutes …")
        found = _USER_CODE.search(text)
        if found is None:
            raise RuntimeError(text)
        with Person(base_url, EMAIL, PASSWORD) as person:
            person.answer_device(f"/device?user_code={found[0]}", "approve")
        text += _read_rest(leader, process)
    away.keep("monkey auth login --device", text)
    away.type("auth", "status")
    _write("device-login.txt", away)


def _desk(home: Path, base_url: str) -> Desk:
    home.mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TERM": "dumb",
        "COLUMNS": "100",
        "LANG": "C.UTF-8",
        "MONKEY_CODER_BASE_URL": base_url,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
    }
    return Desk(home, environment)


def _write(name: str, desk: Desk) -> None:
    """Addresses and folders as they are on a computer with the gateway at its usual place."""
    text = desk.shown.replace(desk.environment["MONKEY_CODER_BASE_URL"], "http://localhost:8000")
    text = re.sub(r"http://localhost:\d+", "http://localhost:8000", text)
    (TARGET / name).write_text(text.replace(str(desk.folder), "/home/ada"), encoding="utf-8")


def _pages(folder: Path, base_url: str) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        print("chromium is not installed: the pictures of the pages stay as they are", file=sys.stderr)
        return
    asked = {"client_name": "monkey 0.1.0", "host": "build-7"}
    begun = httpx2.post(f"{base_url}/v1/auth/device/authorize", json=asked).json()
    with Person(base_url, EMAIL, PASSWORD) as person:
        question = person.send(person.open(f"/device?user_code={begun['user_code']}"), "/device").text
        here = person.open(f"/authorize?{_request_for_a_code()}").text
    _picture(chromium, f"{base_url}/login", folder, name="login.png", size=DESKTOP)
    for name, text in (("device", question), ("authorize", here)):
        page = folder / f"{name}.html"
        page.write_text(text, encoding="utf-8")
        _picture(chromium, page.as_uri(), folder, name=f"{name}.png", size=DESKTOP)
    _picture(chromium, (folder / "device.html").as_uri(), folder, name="device-phone-dark.png", size=PHONE, dark=True)


def _request_for_a_code() -> str:
    fields = {
        "response_type": "code",
        "client_id": "monkey-cli",
        "redirect_uri": "http://127.0.0.1:51234/callback",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
        "state": "s" * 32,
        "host": "laptop",
    }
    return str(httpx2.QueryParams(fields))


def _picture(  # noqa: PLR0913 - what is taken, how, and where it goes
    chromium: str, address: str, folder: Path, *, name: str, size: tuple[int, int], dark: bool = False
) -> None:
    options = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if dark else []
    command = [
        chromium,
        "--headless",
        "--no-sandbox",
        "--hide-scrollbars",
        f"--user-data-dir={folder / 'chromium'}",
        f"--window-size={size[0]},{size[1]}",
        f"--screenshot={TARGET / name}",
        *options,
        address,
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)


def _read_until(leader: int, mark: str) -> str:
    text, ends = b"", time.monotonic() + SECONDS
    while mark.encode() not in text:
        if time.monotonic() > ends:
            message = f"{mark!r} did not come: {text!r}"
            raise TimeoutError(message)
        if select.select([leader], [], [], 0.2)[0]:
            text += os.read(leader, 4096)
    return text.decode()


def _read_rest(leader: int, process: "subprocess.Popen[bytes]") -> str:
    text = b""
    while True:
        try:
            piece = os.read(leader, 4096)
        except OSError:  # the terminal is closed
            break
        if not piece:
            break
        text += piece
    if process.wait(timeout=SECONDS):
        message = f"the command ended with exit code {process.returncode}: {text.decode()}"
        raise RuntimeError(message)
    return text.decode()


if __name__ == "__main__":
    sys.exit(main())
