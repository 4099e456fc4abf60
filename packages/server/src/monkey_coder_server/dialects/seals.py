"""Opaque proofs of thought on their way through a foreign dialect: marked with the provider they are good at.

A signature of the dialect's own home goes out and comes back bare, as that provider's SDK knows it; any other is sealed
with its origin, so that a later turn replays it there and nowhere else.
"""

_MARK = "mk1."


def seal(signature: str, *, origin: str, home: str) -> str:
    """The signature as the caller is given it."""
    return signature if origin == home else f"{_MARK}{origin}.{signature}"


def unseal(given: str, *, home: str) -> tuple[str, str]:
    """Origin and signature of what a caller gave back; unmarked ones are the home's own."""
    if not given.startswith(_MARK):
        return home, given
    origin, dot, signature = given.removeprefix(_MARK).partition(".")
    return (origin, signature) if dot and origin.isalnum() else (home, given)
