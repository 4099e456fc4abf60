"""Challenges of passkeys: each good once, for one purpose and one session or log-in."""

import base64
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any

import msgspec

from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.ports.tickets import Ticket

LIFETIME = timedelta(minutes=5)
LOGIN = "passkey login"
SECOND_STEP = "passkey second step"
ENROLMENT = "passkey enrolment"


class _ClientData(msgspec.Struct, rename="camel"):
    """WebAuthn Level 3, section 5.8.1."""

    challenge: str
    cross_origin: bool = False


_client_data = msgspec.json.Decoder(_ClientData)


def confirming(action: Action) -> str:
    """The purpose of a challenge whose answer confirms an action."""
    return f"passkey confirm {action}"


async def issue(use: Dependencies, purpose: str, subject: str) -> bytes:
    """A fresh challenge; `subject` is the session or log-in whose answer is waited for."""
    challenge = use.random_text().encode()
    await use.tickets.issue(Ticket(_digest(challenge), purpose, subject, use.clock.now() + LIFETIME))
    return challenge


async def redeem(use: Dependencies, credential: Mapping[str, Any], purpose: str, subject: str) -> bytes | None:
    """The challenge a credential answers, used up; None when it was not waited for here."""
    challenge = _answered(credential)
    if challenge is None:
        return None
    ticket = await use.tickets.redeem(_digest(challenge), purpose, use.clock.now())
    return challenge if ticket is not None and ticket.subject == subject else None


def text_of(credential: Mapping[str, Any], field: str) -> str:
    """A text of a credential's response, empty when there is none."""
    response = credential.get("response")
    value = response.get(field) if isinstance(response, dict) else None
    return value if isinstance(value, str) else ""


def unpacked(text: str) -> bytes:
    """What base64url text stands for. Raises `ValueError`."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _answered(credential: Mapping[str, Any]) -> bytes | None:
    """What a browser says it was asked, unless another site's frame asked it."""
    try:
        said = _client_data.decode(unpacked(text_of(credential, "clientDataJSON")))
        return None if said.cross_origin else unpacked(said.challenge)
    except (ValueError, msgspec.MsgspecError):
        return None


def _digest(challenge: bytes) -> bytes:
    return sha256(challenge).digest()
