"""Proof for one action of who is logged in already."""

from datetime import timedelta

from monkey_coder_protocol import factors as wire
from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.errors import ConfirmationRequired, InvalidCredentials, InvalidRequest
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import challenges, proof
from monkey_coder_server.features.accounts.noting import note
from monkey_coder_server.features.accounts.policy import LONGEST_PASSWORD
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.ports.tickets import Ticket, digest_of
from monkey_coder_server.web.assurance import purpose_of
from monkey_coder_server.web.request import Request

LIFETIME = timedelta(minutes=5)
LONGEST_TARGET = 200


def ceremony_of(action: Action, session_id: str) -> proof.Ceremony:
    """What a passkey answers to confirm an action: it verifies its person, so it stands for the password too."""
    return proof.Ceremony(challenges.confirming(action), session_id, verified=True)


async def confirm(use: Dependencies, request: Request, user: User, wish: wire.ConfirmRequest) -> wire.Confirmation:
    """A token for one action. Raises `InvalidRequest`, `InvalidCredentials`, `ConfirmationRequired`, `RateLimited`."""
    action, session_id = checked_action(wish.action), request.principal.session_id or ""
    target = wish.target or ""
    if len(target) > LONGEST_TARGET:
        raise InvalidRequest("The field `target` must be an id of this gateway.")
    if wish.passkey is None:
        await proof.take_try(use, user)
    if not await _proved(use, request, user, wish, ceremony_of(action, session_id)):
        raise InvalidCredentials(proof.WRONG)
    await proof.succeed(use, user)
    token = use.random_text()
    digest, until = digest_of(token), use.clock.now() + LIFETIME
    await use.tickets.issue(Ticket(digest, purpose_of(action), session_id, until, target))
    await note(use, request, user, f"confirm.{action}", target=target)
    return wire.Confirmation(confirmation=token, action=action, expires_in=int(LIFETIME.total_seconds()))


def checked_action(word: str) -> Action:
    """Raises `InvalidRequest`."""
    if word not in list(Action):
        message = f"The field `action` must be one of {', '.join(Action)}."
        raise InvalidRequest(message)
    return Action(word)


async def _proved(
    use: Dependencies, request: Request, user: User, wish: wire.ConfirmRequest, ceremony: proof.Ceremony
) -> bool:
    if wish.passkey is not None:
        passkey = await proof.by_passkey(use, request, wish.passkey, ceremony)
        return passkey is not None and passkey.user_id == user.user_id
    asked = await use.factors.rules.asked_of(user.user_id)
    if not user.password_hash and not asked:
        raise ConfirmationRequired("This account has neither password nor second factor: log in again instead.")
    if user.password_hash and not await _password_fits(use, user, wish.password):
        return False
    if not asked:
        return True
    if wish.code is None:
        raise InvalidRequest("The field `code` is missing: this account has a second factor. Or send `passkey`.")
    return await proof.by_code(use, request, user, wish.code)


async def _password_fits(use: Dependencies, user: User, password: str | None) -> bool:
    if password is None:
        raise InvalidRequest("The field `password` is missing. Send it, or `passkey`.")
    return len(password) <= LONGEST_PASSWORD and await use.passwords.verify(password, user.password_hash)
