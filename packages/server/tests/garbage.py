"""What a block of code leaves to the garbage collector, which stops everything while it searches."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def garbage_of(package: str) -> Iterator[list[str]]:
    """The classes of the package's objects that only the collector could free, one each; filled when the block ends."""
    left: list[str] = []
    gc.collect()
    gc.freeze()  # What others made before and something lets go of only now is not the block's.
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield left
        gc.collect()
        left += [type(each).__qualname__ for each in gc.garbage if type(each).__module__.startswith(package)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.unfreeze()
