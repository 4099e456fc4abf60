"""Start of `monkey`. The version is answered before anything else is imported."""

import signal
import sys
from types import FrameType

from monkey_coder_protocol.version import VERSION


def main() -> None:
    """Run the command line and leave with its exit code."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"]):
        sys.stdout.write(f"monkey {VERSION}\n")
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        from monkey_coder.cli.run import run  # noqa: PLC0415  # `monkey --version` need not pay for click

        code = run(arguments)
    except KeyboardInterrupt:  # before or after the command's own handling, such as during an import
        code = 130
    sys.exit(code)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(143)


if __name__ == "__main__":
    main()
