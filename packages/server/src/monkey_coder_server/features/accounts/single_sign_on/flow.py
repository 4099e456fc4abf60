"""From here to a provider and back: what is sent along, what is kept, and whose identity came back.

An identity opens the account it is linked to and no other. An address alone links nothing: whoever controls an address
at a provider would control the account here. Who has an account proves that first, then links.
"""

import hmac
from base64 import b64decode, b64encode, urlsafe_b64encode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import msgspec

from monkey_coder_server.domain.errors import Conflict, InvalidCredentials, InvalidRequest, NotFound
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.registration import open_for
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.record import Record
from monkey_coder_server.ports.sign_in import Asked, Identity, Returned, SignInProvider
from monkey_coder_server.ports.tickets import Ticket, digest_of

SIGN_IN, LINK = "sign in", "link identity"
"""By a program that takes `code` and `state` back itself; the two below are people's in a browser."""
SIGN_IN_HERE, LINK_HERE = "sign in on a page", "link identity on a page"
_PAGES = {SIGN_IN_HERE: "/login/with", LINK_HERE: "/identities/with"}
"""Where a browser goes on that the provider sent back."""
LIFETIME = timedelta(minutes=5)
LONGEST = 4_096
"""Characters of what a provider sends along."""
NOBODY = "The provider sent nobody back: `code` and `state` are missing. Begin again."
_OVER = "This sign-in was finished or has expired; begin again."


class Left(Record, frozen=True):
    """What only we know of somebody who went to a provider; kept with the ticket of their state.

    `following` is where a browser goes in the end, sealed: the address may hold a token.
    """

    nonce: str
    verifier: str
    following: str = ""


_left = msgspec.json.Decoder(Left)
_FOLLOWING = b"where a sign-in leads"


def provider_of(use: Dependencies, name: str) -> SignInProvider:
    """A provider that is set up. Raises `NotFound`."""
    found = use.sign_in.get(name)
    if found is None:
        known = ", ".join(use.sign_in) or "none"
        message = f"This gateway has no sign-in with that provider; it has {known}."
        raise NotFound(message)
    return found


async def begin(
    use: Dependencies, provider: SignInProvider, purpose: str, whose: str = "", *, following: str = ""
) -> tuple[str, str]:
    """The address to send somebody to, and the state they come back with; `whose` is who must bring it back."""
    sealed = b64encode(use.factors.sealing.seal(following.encode(), _FOLLOWING)).decode() if following else ""
    state, left = use.random_text(), Left(use.random_text(), use.random_text(), sealed)
    challenge = urlsafe_b64encode(sha256(left.verifier.encode()).digest()).rstrip(b"=").decode()
    address = await provider.address(Asked(state, left.nonce, challenge, redirect_uri(use, provider)))
    details = msgspec.json.encode(left).decode()
    ticket = Ticket(digest_of(state), purpose, _subject(provider, whose), use.clock.now() + LIFETIME, details)
    await use.tickets.issue(ticket)
    return address, state


async def page_of(use: Dependencies, provider: SignInProvider, state: str) -> str | None:
    """The page that takes a state back, which is not used up by that; None where a program does."""
    for purpose, page in _PAGES.items():
        if await use.tickets.find(digest_of(state), purpose, use.clock.now()) is not None:
            return f"{page}/{provider.name}"
    return None


async def returned(use: Dependencies, provider: SignInProvider, purpose: str, state: str, whose: str = "") -> Left:
    """How somebody left who comes back with a state that was given for this purpose and person, and is used up now.

    Raises `InvalidCredentials`.
    """
    digest, now = digest_of(state), use.clock.now()
    found = await use.tickets.find(digest, purpose, now)
    if found is None or not hmac.compare_digest(found.subject.encode(), _subject(provider, whose).encode()):
        raise InvalidCredentials(_OVER)
    if await use.tickets.redeem(digest, purpose, now) is None:
        raise InvalidCredentials(_OVER)
    return _left.decode(found.details)


def following(use: Dependencies, left: Left) -> str | None:
    """Where a browser that left goes in the end."""
    opened = use.factors.sealing.open(b64decode(left.following), _FOLLOWING)
    return None if opened is None else opened.decode()


async def identity_of(use: Dependencies, provider: SignInProvider, left: Left, code: str) -> Identity:
    """Who came back. Raises `InvalidRequest`, `SignInRefused`, `Unavailable`."""
    if not 0 < len(code) <= LONGEST:
        raise InvalidRequest(NOBODY)
    return await provider.identity(Returned(code, left.verifier, left.nonce, redirect_uri(use, provider)))


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
            f"There is an account with your address already. Log in to it, then link {identity.provider} on the page "
            f"/identities or with POST /v1/auth/oauth/{identity.provider}/link."
        )
        raise Conflict(message)
    user = await open_for(use, email=identity.email, name=identity.name)
    await use.identities.link(replace(identity, name=""), user.user_id, use.clock.now())
    return user


def redirect_uri(use: Dependencies, provider: SignInProvider) -> str:
    """Where the provider sends people back to: to be registered there."""
    return f"{use.base_url}/v1/auth/oauth/{provider.name}/callback"


def _subject(provider: SignInProvider, whose: str) -> str:
    return f"{provider.name} {whose}"
