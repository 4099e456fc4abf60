"""The passwords most often found in leaks, as a Bloom filter in a file of this package.

Where they come from, under which licences, and how often the filter is wrong: `common_passwords.md` beside it;
`tools/common_passwords.py` makes both.
"""

from functools import cached_property
from hashlib import blake2b
from importlib.resources import files

HASHES = 17
FILE = "common_passwords.bloom"


def places(form: str, size: int) -> tuple[int, ...]:
    """The bits of a form in a filter of so many: two halves of one digest, combined (Kirsch and Mitzenmacher 2006)."""
    digest = blake2b(form.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    first, second = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big") | 1
    return tuple((first + turn * second) % size for turn in range(HASHES))


class CommonPasswordFilter:
    """`ports.security.CommonPasswords`. The file is read at first use."""

    def hold(self, form: str) -> bool:
        """Whether a form is among them."""
        bits = self._bits
        return all(bits[place >> 3] >> (place & 7) & 1 for place in places(form, len(bits) * 8))

    @cached_property
    def _bits(self) -> bytes:
        return files(__package__).joinpath(FILE).read_bytes()
