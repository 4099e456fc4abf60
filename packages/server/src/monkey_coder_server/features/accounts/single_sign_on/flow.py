"""From here to a provider and back: what is sent along, what is kept, and whose identity came back.

An identity opens the account it is linked to and no other. An address alone links nothing: whoever controls an address
at a provider would control the account here. Who has an account proves that first, then links.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import msgspec

from monkey_coder_protocol.sign_in import SignInAnswer
from monkey_coder_server.domain.errors import Conflict, InvalidCredentials, NotFound
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.registration import open_for
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.record import Record
from monkey_coder_server.ports.sign_in import Asked, Identity, Returned, SignInProvider
from monkey_coder_server.ports.tickets import Ticket, digest_of

SIGN_IN, LINK = "sign in", "link identity"
LIFETIME = timedelta(minutes=5)
_OVER = "This sign-in was finished or has expired; begin again."


class Left(Record, frozen=True):
    """What only we know of somebody who went to a provider; kept with the ticket of their state."""

    nonce: str
    verifier: str


_left = msgspec.json.Decoder(Left)


def provider_of(use: Dependencies, name: str) -> SignInProvider:
    """A provider that is set up. Raises `NotFound`."""
    found = use.sign_in.get(name)
    if found is None:
        known = ", ".join(use.sign_in) or "none"
        message = f"This gateway has no sign-in with that provider; it has {known}."
        raise NotFound(message)
    return found


async def begin(use: Dependencies, provider: SignInProvider, purpose: str, user_id: str = "") -> tuple[str, str]:
    """The address to send somebody to, and the state they come back with."""
    state, left = use.random_text(), Left(use.random_text(), use.random_text())
    challenge = urlsafe_b64encode(sha256(left.verifier.encode()).digest()).rstrip(b"=").decode()
    address = await provider.address(Asked(state, left.nonce, challenge, redirect_uri(use, provider)))
    details = msgspec.json.encode(left).decode()
    ticket = Ticket(digest_of(state), purpose, _subject(provider, user_id), use.clock.now() + LIFETIME, details)
    await use.tickets.issue(ticket)
    return address, state


async def returned(
    use: Dependencies, provider: SignInProvider, purpose: str, answer: SignInAnswer, user_id: str = ""
) -> Identity:
    """Who came back with a state that was given for this purpose and person. Raises `InvalidCredentials`."""
    digest, now = digest_of(answer.state), use.clock.now()
    found = await use.tickets.find(digest, purpose, now)
    subject = _subject(provider, user_id)
    if found is None or not hmac.compare_digest(found.subject.encode(), subject.encode()):
        raise InvalidCredentials(_OVER)
    if await use.tickets.redeem(digest, purpose, now) is None:
        raise InvalidCredentials(_OVER)
    left = _left.decode(found.details)
    back = Returned(answer.code, left.verifier, left.nonce, redirect_uri(use, provider))
    return await provider.identity(back)


async def user_of(use: Dependencies, identity: Identity) -> User:
    """The user an identity opens; a new one for an address nobody has here.

    Raises `InvalidCredentials` for an address the provider has not verified, `Conflict` for one that is taken.
    """
    user_id = await use.identities.find(identity.provider, identity.subject)
    if user_id is not None:
        found = await use.accounts.by_id(user_id)
        if found is None:
            raise InvalidCredentials(_OVER)
        return found
    if not identity.email:
        message = f"{identity.provider} has not verified your e-mail address; verify it there, then sign in again."
        raise InvalidCredentials(message)
    if await use.accounts.by_email(identity.email) is not None:
        message = (
            f"There is an account with your address already. Log in to it, then link {identity.provider} with "
            f"POST /v1/auth/oauth/{identity.provider}/link."
        )
        raise Conflict(message)
    user = await open_for(use, email=identity.email, name=identity.name)
    await use.identities.link(replace(identity, name=""), user.user_id, use.clock.now())
    return user


def redirect_uri(use: Dependencies, provider: SignInProvider) -> str:
    """Where the provider sends people back to: to be registered there."""
    return f"{use.base_url}/v1/auth/oauth/{provider.name}/callback"


def _subject(provider: SignInProvider, user_id: str) -> str:
    return f"{provider.name} {user_id}"
