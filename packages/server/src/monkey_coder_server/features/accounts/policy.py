"""What an address and a password must look like."""

import re

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.password_guessing import easy, forms
from monkey_coder_server.ports.security import CommonPasswords

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024
LONGEST_ADDRESS = 254
"""RFC 5321, section 4.5.3.1.3, less the angle brackets."""
LONGEST_NAME = 200
PLANS_OF_OLD = frozenset({"hobby", "free", "developer", "pro", "enterprise"})
"""What published clients send when somebody signs up. Nobody is on a plan for having named it."""
_PART = r'[^@\s\x00-\x1f\x7f,;:<>()\[\]\\"]'
"""No sign that a mail program reads as the end of one address and the beginning of another."""
_ADDRESS = re.compile(rf"{_PART}{{1,64}}@{_PART}{{1,253}}")


def checked_address(text: str) -> str:
    """The address without surrounding blanks. Raises `InvalidRequest`."""
    address = text.strip()
    if len(address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(address):
        raise InvalidRequest("The field `email` must be an e-mail address like name@example.com.")
    return address


def checked_password(password: str, address: str, common: CommonPasswords) -> str:
    """The password, unchanged (ASVS 5.0, 6.2: length counts, no composition rules, none from lists of leaks).

    Raises `InvalidRequest`.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        message = f"The field `password` must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters."
        raise InvalidRequest(message)
    if easy(password, (address,)) or any(common.hold(form) for form in forms(password)):
        raise InvalidRequest("The field `password` is too easy to guess; use several words or a password manager.")
    return password


def checked_name(name: str | None, address: str) -> str:
    """The display name, by default what stands before the @. Raises `InvalidRequest`."""
    chosen = (name or "").strip() or address.partition("@")[0]
    if len(chosen) > LONGEST_NAME or not chosen.isprintable():
        message = f"The field `name` must be printable text of at most {LONGEST_NAME} characters."
        raise InvalidRequest(message)
    return chosen
