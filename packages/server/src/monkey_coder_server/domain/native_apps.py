"""Log-in of programs on a person's own computer: where a browser may be sent back to, and who may use what it brings.

Sources: RFC 8252, sections 7.3 and 8.3 (loopback addresses, not `localhost`; any port); RFC 7636, sections 4.1 to 4.6.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import urlsplit

CALLBACK_PATH = "/callback"
CHALLENGE_METHOD = "S256"
LONGEST_HOST = 64
_REDIRECT = re.compile(r"http://(?:127\.0\.0\.1|\[::1\]):[1-9][0-9]{0,4}/callback", re.ASCII)
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)
_HIGHEST_PORT = 65535


def loopback_redirect(address: str) -> bool:
    """Whether this is exactly `http://127.0.0.1:PORT/callback` or the same on `[::1]`."""
    if _REDIRECT.fullmatch(address) is None:
        return False
    return int(address.rpartition(":")[2].removesuffix(CALLBACK_PATH)) <= _HIGHEST_PORT


def origin_of(redirect: str) -> str:
    """Scheme, host and port of a loopback redirect."""
    parts = urlsplit(redirect)
    return f"{parts.scheme}://{parts.netloc}"


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a code verifier."""
    return urlsafe_b64encode(sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


def well_formed(challenge: str) -> bool:
    """Whether this can be an S256 challenge."""
    return _CHALLENGE.fullmatch(challenge) is not None


def proves(verifier: str, challenge: str) -> bool:
    """Whether a code verifier is the one a challenge was made from."""
    return _VERIFIER.fullmatch(verifier) is not None and hmac.compare_digest(challenge_of(verifier), challenge)


def shown_name(text: str | None) -> str:
    """A computer's or client's name as it may be stored and shown: printable, one line, not long."""
    kept = "".join(letter if letter.isprintable() else " " for letter in text or "")
    return " ".join(kept.split())[:LONGEST_HOST].strip()
