"""`python -m benchmarks [name…]`: run all benchmarks, or those named."""

import sys
from collections.abc import Callable, Mapping

from benchmarks import (
    books,
    decisions,
    dispatch,
    execute,
    floor,
    hedges,
    journal,
    neighbours,
    profile,
    quotes,
    relay,
    semantic,
    simulate,
    slow_sockets,
    speed,
    start,
    tenants,
    usage,
)

BENCHMARKS: Mapping[str, Callable[[], object]] = {
    "speed": speed.main,
    "execute": execute.main,
    "floor": floor.main,
    "profile": profile.main,
    "dispatch": dispatch.main,
    "relay": relay.main,
    "hedges": hedges.main,
    "books": books.main,
    "decisions": decisions.main,
    "neighbours": neighbours.main,
    "journal": journal.main,
    "quotes": quotes.main,
    "semantic": semantic.main,
    "simulate": simulate.main,
    "slow_sockets": slow_sockets.main,
    "start": start.main,
    "tenants": tenants.main,
    "usage": usage.main,
}


def main() -> int:
    """Run the benchmarks asked for."""
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for number, name in enumerate(names):
        if number:
            print()
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
