"""`monkey-server` whose journal is on a small disk: `python -m tests.small_disk SIZE serve …`; DATA_DIR fills it."""

import os
import sys
from pathlib import Path

import pytest

from monkey_coder_server.__main__ import main
from packages.server.tests.adapters.storage.journal.disks import scripted

if __name__ == "__main__":
    size, *arguments = sys.argv[1:]
    scripted(Path(os.environ["DATA_DIR"]), pytest.MonkeyPatch(), size=int(size))
    sys.exit(main(arguments))
