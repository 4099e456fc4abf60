"""`python -m benchmarks.speed`."""

import sys

from benchmarks.speed.report import main

sys.exit(main(sys.argv[1:]))
