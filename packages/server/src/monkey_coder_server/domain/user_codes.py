"""Codes that a person carries from a screen to a browser: eight of twenty consonants, `WDJB-MJHT`.

No vowels, so no words; no digits and no letters that look like one another (RFC 8628, section 6.1). 34 bits, so a code
is short-lived and guesses at it are counted.
"""

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
LETTERS = 8
RANDOM_BYTES = 16
"""So many that every letter is as likely as another, but for one part in 2^93."""


def compose(random_bytes: bytes) -> str:
    """A new code from at least 16 random bytes. Raises `ValueError` for fewer."""
    if len(random_bytes) < RANDOM_BYTES:
        raise ValueError("A user code needs at least 16 random bytes.")
    letters = letters_of(random_bytes, LETTERS)
    return f"{letters[:4]}-{letters[4:]}"


def letters_of(random_bytes: bytes, count: int) -> str:
    """So many letters of the alphabet from random bytes, of which there must be more than letters."""
    number = int.from_bytes(random_bytes, "big")
    letters = ""
    for _ in range(count):
        number, letter = divmod(number, len(ALPHABET))
        letters += ALPHABET[letter]
    return letters


def read(typed: str) -> str | None:
    """A code as a person typed it, in the one form it is compared in; None when it can be no code."""
    letters = "".join(letter for letter in typed.upper() if letter not in "- \t")
    if len(letters) != LETTERS or any(letter not in ALPHABET for letter in letters):
        return None
    return f"{letters[:4]}-{letters[4:]}"
