"""`make demo`: the whole product once. A gateway, simulated providers, a new user, one task, a verified receipt.

Everything lives in a temporary folder and on free loopback ports; nothing stays running. Provider keys of the
environment are left out, so the demo never spends money.
"""

import compileall
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.processes import BIN, free_port, server

PROMPT = "create a REST API"
PASSWORD = "a-demo-pass-phrase-only"  # noqa: S105 - of an account that lives for some seconds


class DemoFailed(Exception):
    """A step did not do what it should; the message says which."""


def main() -> int:
    """Run the demo; 0 when every step held."""
    try:
        with tempfile.TemporaryDirectory(prefix="monkey-demo-") as folder:
            _run(Path(folder))
    except DemoFailed as failure:
        print(f"demo failed: {failure}", file=sys.stderr)
        return 1
    return 0


def _run(folder: Path) -> None:
    port, metrics_port = free_port(), free_port()
    arguments = ["serve", "--sandbox", "--host", "127.0.0.1", "--port", str(port), "--metrics-port", str(metrics_port)]
    settings = {"DATA_DIR": str(folder / "data"), "LOG_LEVEL": "warning"}
    user = {
        "XDG_CONFIG_HOME": str(folder / "config"),
        "MONKEY_CODER_BASE_URL": f"http://127.0.0.1:{port}",
        "COLUMNS": "100",
    }
    say("starting the gateway: SQLite, in-process state, simulated providers")
    with server(arguments, settings, port, "/health"):
        say("a new user")
        monkey(user, "auth", "register", "--email", "newcomer@example.com", "--password-stdin", given=PASSWORD)
        output = folder / "api"
        say(f'monkey implement "{PROMPT}" -o api')
        answer = monkey(user, "implement", PROMPT, "-o", str(output), "--json")
        _show_answer(answer, output)
        say("the receipt, checked by its signature and its place in the key's chain")
        print(monkey_text(user, "receipts", "verify", answer["result"]["metadata"]["receipt_id"]))
        say("the balance after it")
        print(monkey_text(user, "balance"))
    say("everything is stopped")


def _show_answer(answer: Mapping[str, Any], output: Path) -> None:
    files = sorted(path for path in output.rglob("*") if path.is_file())
    if not files:
        raise DemoFailed("no file was written")
    if not compileall.compile_dir(output, quiet=2):
        raise DemoFailed("a written file does not compile")
    for path in files:
        print(f"  {path.relative_to(output)}  {len(path.read_text(encoding='utf-8').splitlines())} lines")
    facts = answer["result"]["metadata"]
    usage = answer["usage"]
    print(f"  route    {facts['provider']}/{facts['model']}")
    print(f"  tokens   {usage['tokens_input']} in, {usage['tokens_output']} out")
    print(f"  cost     {facts['cost_usd']} USD")
    print(f"  receipt  {facts['receipt_id']}")


def monkey(environment: Mapping[str, str], *arguments: str, given: str = "") -> dict[str, Any]:
    """What a command of `monkey` answers with `--json`. Raises `DemoFailed` when it fails."""
    if "--json" not in arguments:
        arguments = (*arguments, "--json")
    read: dict[str, Any] = json.loads(monkey_text(environment, *arguments, given=given))
    return read


def monkey_text(environment: Mapping[str, str], *arguments: str, given: str = "") -> str:
    """What a command of `monkey` prints. Raises `DemoFailed` when it fails."""
    command = [str(BIN / "monkey"), *arguments]
    kept = {"PATH": str(BIN), "HOME": environment["XDG_CONFIG_HOME"], "LANG": "C.UTF-8"}
    done = subprocess.run(
        command,
        env={**kept, **environment},
        input=given + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        words = " ".join(arguments)
        message = f"`monkey {words}` ended with exit code {done.returncode}: {done.stderr}{done.stdout}"
        raise DemoFailed(message)
    return done.stdout.rstrip()


def say(text: str) -> None:
    """Tell the reader what comes next."""
    print(f"— {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
