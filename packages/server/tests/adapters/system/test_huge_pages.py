"""Which memory is moved to large pages, and that a process goes on as it was."""

import subprocess
import sys

from monkey_coder_server.adapters.system.huge_pages import SIZE, anonymous

MAPPED = """\
00400000-00900000 r-xp 00000000 fe:00 260811                             /usr/bin/python3
00946000-00d85000 rw-p 00545000 fe:00 260811                             /usr/bin/python3
0cefa000-0e19f000 rw-p 00000000 00:00 0                                  [heap]
7f1d83600000-7f1d84e00000 rw-p 00000000 00:00 0
7f1d85c5a000-7f1d85e00000 rw-p 00000000 00:00 0
7f1d86000000-7f1d86800000 ---p 00000000 00:00 0
7f1d87000000-7f1d87800000 rw-s 00000000 00:01 0
7ffd1c000000-7ffd1c021000 rw-p 00000000 00:00 0                          [stack]
"""
KEPT = """
from monkey_coder_server.adapters.system import huge_pages
kept = {number: str(number) * 10 for number in range(200_000)}
huge_pages.collapse()
assert all(kept[number] == str(number) * 10 for number in kept)
"""


def test_only_what_fits_whole_into_writable_memory_of_its_own_is_moved() -> None:
    assert list(anonymous(MAPPED.splitlines())) == [
        (0x0D000000, 0x0E000000),
        (0x7F1D83600000, 0x7F1D84E00000),
    ]
    assert all(start % SIZE == end % SIZE == 0 for start, end in anonymous(MAPPED.splitlines()))


def test_what_is_moved_is_what_it_was() -> None:
    subprocess.run([sys.executable, "-c", KEPT], check=True)  # noqa: S603 - a program of this file
