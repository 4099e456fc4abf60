"""Confirm an e-mail address, change it."""

import json
from functools import partial

from monkey_coder_server.domain.errors import Conflict, InvalidRequest
from monkey_coder_server.features.accounts import throttles
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.identity import links, wording
from monkey_coder_server.features.accounts.identity.errands import Errands
from monkey_coder_server.features.accounts.identity.persons import check_again, person
from monkey_coder_server.features.accounts.identity.trail import note
from monkey_coder_server.features.accounts.policy import checked_address
from monkey_coder_server.ports.accounts import User
from monkey_coder_server.web.request import Request

NOBODY = "nobody"
"""The subject of tickets for addresses without an account: they cost what the others cost, and are good for nothing."""
_SAME = "The account has this address already."
_TAKEN = "The address got an account of its own since it was asked for; choose another one."


async def admit_mail(use: Dependencies, request: Request, purpose: str, email: str) -> None:
    """Count a mail that is asked for. Raises `InvalidRequest`, `RateLimited`, `Unavailable`."""
    await throttles.count_mail(use, purpose, email=checked_address(email), client_ip=request.client_ip)


async def ask_to_verify(use: Dependencies, email: str) -> None:
    """Write to an address that its owner is to confirm; an errand that costs the same where nobody has it."""
    user = await use.accounts.by_email(email)
    waits = user is not None and user.email_verified_at is None
    folded = email.strip().casefold()
    token = await links.issue(use, links.VERIFY, user.user_id if user is not None and waits else NOBODY, folded)
    mail = use.letters.written(user.email if user is not None else email, wording.verification(token))
    if await throttles.may_write(use, mail.to, proved=not waits) and waits:
        use.letters.post(mail)


async def ask_to_change(use: Dependencies, errands: Errands, request: Request, *, email: str, password: str) -> None:
    """Write to the new address and tell the old one. Raises `InvalidRequest`, `InvalidCredentials`, `RateLimited`."""
    address = checked_address(email)
    user = await person(use, request)
    await check_again(use, request, user, password)
    if address == user.email:
        raise InvalidRequest(_SAME)
    await throttles.count_mail(use, links.CHANGE, email=address, client_ip=request.client_ip)
    await note(use, request, user, "email.change.ask")
    use.letters.send(user.email, wording.address_asked_for(request.client_ip, use.clock.now()))
    errands.take(partial(_write_to_new, use, user, address))


async def _write_to_new(use: Dependencies, user: User, address: str) -> None:
    """The link, or the news that the address is taken: only who reads its mail learns which."""
    owner = await use.accounts.by_email(address)
    if owner is not None and owner.user_id != user.user_id:
        if await throttles.may_write(use, owner.email, proved=False):
            use.letters.send(owner.email, wording.taken_address())
        return
    wish = json.dumps({"from": user.email, "to": address})
    token = await links.issue(use, links.CHANGE, user.user_id, wish)
    if await throttles.may_write(use, address, proved=False):
        use.letters.send(address, wording.new_address(token))


async def confirm(use: Dependencies, request: Request, token: str) -> User:
    """The link of either mail was followed: the address is confirmed, or becomes that of the account.

    Raises `InvalidRequest`, `Conflict`.
    """
    ticket = await links.find(use, token, links.VERIFY, links.CHANGE)
    user = await use.accounts.by_id(ticket.subject)
    if user is None:
        raise links.unusable()
    if ticket.purpose == links.VERIFY:
        if ticket.details != user.email.strip().casefold():
            raise links.unusable()
        await links.redeem(use, ticket)
        await use.accounts.set_email(user.user_id, user.email, verified_at=use.clock.now())
        await note(use, request, user, "email.verify")
        return user
    wish = json.loads(ticket.details)
    if wish["from"] != user.email:
        raise links.unusable()
    await links.redeem(use, ticket)
    await _change(use, request, user, wish["to"])
    return user


async def _change(use: Dependencies, request: Request, user: User, address: str) -> None:
    try:
        await use.accounts.set_email(user.user_id, address, verified_at=use.clock.now())
    except Conflict:
        raise Conflict(_TAKEN) from None
    for purpose in (links.RESET, links.VERIFY):  # they went to the old address
        await use.tickets.withdraw(purpose, user.user_id)
    await note(use, request, user, "email.change")
    use.letters.send(user.email, wording.address_changed(use.clock.now()))
