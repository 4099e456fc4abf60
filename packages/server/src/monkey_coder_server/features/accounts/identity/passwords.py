"""Set a new password: forgotten and proved by mail, or changed by who knows the present one."""

from monkey_coder_server.features.accounts import throttles
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.factors import second_step
from monkey_coder_server.features.accounts.identity import links, wording
from monkey_coder_server.features.accounts.identity.addresses import NOBODY
from monkey_coder_server.features.accounts.identity.persons import check_again, person
from monkey_coder_server.features.accounts.identity.trail import entry, note
from monkey_coder_server.features.accounts.policy import checked_password
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.web.request import Request

_RESTS_ON_THE_PASSWORD = (links.RESET, links.CHANGE, second_step.PURPOSE)
"""Tickets that somebody with the former password may hold. What a session gave out ends with the session."""


async def ask_to_reset(use: Dependencies, request: Request, email: str) -> None:
    """Write to who forgot their password; an errand that costs the same where nobody has the address.

    The letter goes to the address as the account has it: one that only folds to the same is not written to.
    """
    user = await use.accounts.by_email(email)
    token = await links.issue(use, links.RESET, user.user_id if user is not None else NOBODY)
    mail = use.letters.written(user.email if user is not None else email, wording.reset(token))
    proved = user is None or user.email_verified_at is not None
    if await throttles.may_write(use, mail.to, proved=proved) and user is not None:
        use.letters.post(mail)
        await use.audit.record(entry(use, request, user, "password.forgot"))


async def reset(use: Dependencies, request: Request, *, token: str, new_password: str) -> None:
    """The link was followed: set the password, end every session and what was begun. A second factor stays needed.

    A password that is refused uses up nothing. Raises `InvalidRequest`, `Unavailable`.
    """
    ticket = await links.find(use, token, links.RESET)
    user = await use.accounts.by_id(ticket.subject)
    if user is None:
        raise links.unusable()
    request.concerns = user.account_id
    hashed = await use.passwords.hash(checked_password(new_password, user.email, use.common_passwords))
    await links.redeem(use, ticket)
    await use.accounts.set_password(user.user_id, hashed)
    await _withdraw(use, user)
    ended = await use.sessions.revoke_all(user.user_id)
    if user.email_verified_at is None:  # the link proves that mail to the address is read
        await use.accounts.set_email(user.user_id, user.email, verified_at=use.clock.now())
    await throttles.forget_strangers(use, user.email)
    await _tell(use, request, user, "password.reset", ended)


async def change(use: Dependencies, request: Request, *, current: str, new: str) -> int:
    """Set a new password, end every other session and what was begun; how many sessions those were.

    Raises `InvalidRequest`, `InvalidCredentials`, `RateLimited`, `Unavailable`.
    """
    user = await person(use, request)
    checked_password(new, user.email, use.common_passwords)
    await check_again(use, request, user, current)
    await use.accounts.set_password(user.user_id, await use.passwords.hash(new))
    await _withdraw(use, user)
    ended = await use.sessions.revoke_all(user.user_id, but=request.principal.session_id or "")
    await _tell(use, request, user, "password.change", ended)
    return ended


async def _withdraw(use: Dependencies, user: User) -> None:
    """End what was begun with the former password: log-ins that wait for a code, another address."""
    for purpose in _RESTS_ON_THE_PASSWORD:
        await use.tickets.withdraw(purpose, user.user_id)


async def _tell(use: Dependencies, request: Request, user: User, action: str, ended: int) -> None:
    await note(use, request, user, action, details=f"{ended} sessions ended")
    use.letters.send(user.email, wording.password_changed(request.client_ip, use.clock.now()))
