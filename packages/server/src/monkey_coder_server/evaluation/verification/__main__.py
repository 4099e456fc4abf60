"""`python -m monkey_coder_server.evaluation.verification`: the checks of answers on edits that models made."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from monkey_coder_server.evaluation.verification.cases import read_cases
from monkey_coder_server.evaluation.verification.report import document, tables


def main(arguments: Sequence[str] | None = None) -> int:
    """Report; 0 whatever the figures."""
    parser = argparse.ArgumentParser(prog="python -m monkey_coder_server.evaluation.verification", description=__doc__)
    parser.add_argument("--edits", type=Path, required=True, help="replies and files, JSON lines; may be gzipped")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    options = parser.parse_args(arguments)
    found = document(read_cases(options.edits))
    sys.stdout.write(json.dumps(found) + "\n" if options.json else tables(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
