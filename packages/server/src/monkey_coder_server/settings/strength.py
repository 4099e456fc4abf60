"""Secrets: whether one is strong enough, and those that development makes for itself."""

import os
import secrets
from pathlib import Path

SHORTEST_SECRET = 32
FEWEST_DIFFERENT_CHARACTERS = 12
HOW_TO_MAKE = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
_WEAK_WORDS = ("change", "secret", "default", "example", "password", "insecure", "your-", "12345")


def weakness(value: str) -> str:
    """What is weak about a secret; empty for a strong one."""
    if len(value) < SHORTEST_SECRET:
        return f"it has {len(value)} characters; at least {SHORTEST_SECRET} are needed"
    if len(set(value)) < FEWEST_DIFFERENT_CHARACTERS:
        return "it repeats a few characters"
    if any(word in value.lower() for word in _WEAK_WORDS):
        return "it looks like an example or a default"
    return ""


def kept_secret(path: Path) -> tuple[str, bool]:
    """The secret in a file only its owner reads, and whether it was made just now."""
    if path.exists():
        return path.read_text().strip(), False
    text = secrets.token_urlsafe(48)
    draft = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    try:
        os.link(draft, path)  # whole or not at all, also when two processes start at once
    except FileExistsError:
        return path.read_text().strip(), False
    finally:
        draft.unlink()
    return text, True
