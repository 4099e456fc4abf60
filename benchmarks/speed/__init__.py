"""The product's speed report: our gateway beside a direct call, nginx and two rivals, on one upstream, interleaved.

Everything that is asked costs the upstream next to nothing, and what is measured has a core of its own where the
machine has two: what remains is what each stack makes of a request.
"""

from benchmarks.speed.report import main

__all__ = ["main"]
