"""Passkeys of a person: made, listed, renamed, removed; and a log-in with nothing else."""

from collections.abc import Mapping
from typing import Any

from monkey_coder_protocol import factors as wire
from monkey_coder_server.domain.errors import Conflict, InvalidCredentials, InvalidRequest, NotFound
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import challenges, proof
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.factors import Passkey
from monkey_coder_server.ports.passkeys import Holder
from monkey_coder_server.web.request import Request

MOST_PASSKEYS = 20
LONGEST_NAME = 100
DEFAULT_NAME = "passkey"
LOGIN = proof.Ceremony(challenges.LOGIN, "", verified=True)
_UNKNOWN = "You have no passkey of that id; GET /v1/auth/mfa/passkeys lists them."
_REFUSED = "This passkey does not belong to an account here, or its answer came too late; try again."


async def asked(use: Dependencies, ceremony: proof.Ceremony, user: User | None) -> wire.PasskeyOptions:
    """What a browser is asked: for one of the person's passkeys, or for any it has for this site."""
    known = [] if user is None else await use.factors.store.passkeys(user.user_id)
    if user is not None and not known:
        raise NotFound("This account has no passkey.")
    challenge = await challenges.issue(use, ceremony.purpose, ceremony.subject)
    options = use.factors.ceremonies.authentication(
        challenge, known=[passkey.credential_id for passkey in known], verified=ceremony.verified
    )
    return _options(options)


async def enrolment(use: Dependencies, user: User, session_id: str) -> wire.PasskeyOptions:
    """What a browser is asked to make. Raises `Conflict` at the most passkeys a person can have."""
    known = await use.factors.store.passkeys(user.user_id)
    if len(known) >= MOST_PASSKEYS:
        message = f"You have {MOST_PASSKEYS} passkeys, which is the most; remove one first."
        raise Conflict(message)
    challenge = await challenges.issue(use, challenges.ENROLMENT, session_id)
    holder = Holder(user.user_id.encode(), user.email, user.name)
    options = use.factors.ceremonies.registration(holder, challenge, known=[passkey.credential_id for passkey in known])
    return _options(options)


async def add(use: Dependencies, user: User, session_id: str, wish: wire.PasskeyRegistration) -> Passkey | None:
    """Store what a browser made; None when it is not what this session asked for. Raises `Conflict`."""
    name = checked_name(wish.name or DEFAULT_NAME)
    challenge = await challenges.redeem(use, wish.credential, challenges.ENROLMENT, session_id)
    made = None if challenge is None else use.factors.ceremonies.registered(wish.credential, challenge)
    if made is None:
        return None
    passkey = Passkey(
        passkey_id=use.ids.new("psk"),
        user_id=user.user_id,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        name=name,
        created_at=use.clock.now(),
    )
    await use.factors.store.add_passkey(passkey, most=MOST_PASSKEYS)
    return passkey


async def log_in(use: Dependencies, request: Request, credential: Mapping[str, Any]) -> User:
    """Whose passkey answered: it is possession and verified person in one. Raises `InvalidCredentials`."""
    handle = challenges.text_of(credential, "userHandle")
    passkey = await proof.by_passkey(use, request, credential, LOGIN) if handle else None
    user = None if passkey is None else await use.accounts.by_id(passkey.user_id)
    if user is None:
        raise InvalidCredentials(_REFUSED)
    return user


async def rename(use: Dependencies, user: User, passkey_id: str, name: str) -> None:
    """Raises `NotFound`, `InvalidRequest`."""
    if not await use.factors.store.rename_passkey(user.user_id, passkey_id, checked_name(name)):
        raise NotFound(_UNKNOWN)


async def remove(use: Dependencies, user: User, passkey_id: str) -> str:
    """Take a passkey away; what it was called. Raises `NotFound`."""
    called = {each.passkey_id: each.name for each in await use.factors.store.passkeys(user.user_id)}
    if not await use.factors.store.drop_passkey(user.user_id, passkey_id):
        raise NotFound(_UNKNOWN)
    return called.get(passkey_id, DEFAULT_NAME)


def checked_name(name: str) -> str:
    """Raises `InvalidRequest`."""
    chosen = name.strip()
    if not chosen or len(chosen) > LONGEST_NAME or not chosen.isprintable():
        message = f"The field `name` must be 1 to {LONGEST_NAME} printable characters."
        raise InvalidRequest(message)
    return chosen


def shown(passkey: Passkey) -> wire.PasskeyInfo:
    """What is told of a passkey."""
    return wire.PasskeyInfo(
        passkey_id=passkey.passkey_id,
        name=passkey.name,
        created_at=passkey.created_at.isoformat(),
        last_used=passkey.last_used.isoformat() if passkey.last_used else None,
    )


def _options(options: Mapping[str, Any]) -> wire.PasskeyOptions:
    return wire.PasskeyOptions(options=dict(options), expires_in=int(challenges.LIFETIME.total_seconds()))
