"""A stranger's mailbox cannot be flooded, and who tries to keeps nobody from mail they need."""

from typing import Any

import pytest

from packages.server.tests.features.accounts.identity.conftest import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")
REGISTER, VERIFY, FORGOT = "/v1/auth/register", "/v1/auth/email/verify/request", "/v1/auth/password/forgot"
MOST_AT_ONCE = 6


async def letters_to(postbox: Any, registered: Any, mailbox: str) -> int:
    """How many were written to a mailbox, once all that was asked for before is done: letters are written in order."""
    last = await registered()
    await last.post(FORGOT, email=last.email)
    await postbox.next(last.email)
    name, _, host = mailbox.partition("@")
    return len([mail for mail in postbox.mails if mail.to.replace(".", "").startswith(name) and host in mail.to])


async def test_accounts_for_all_spellings_of_an_address_bring_few_letters(
    callers: Any, registered: Any, postbox: Any
) -> None:
    spellings = [f"victim+{number}@mail.example.com" for number in range(8)]
    spellings += ["v.ictim@mail.example.com", "vi.ctim@mail.example.com"]
    for email in spellings:
        assert (await callers().post(REGISTER, email=email, password=PASSWORD)).status_code == 200
    for email in spellings:
        for path in (VERIFY, FORGOT):
            assert (await callers().post(path, email=email)).status_code == 200
    assert await letters_to(postbox, registered, "victim@mail.example.com") == MOST_AT_ONCE


async def test_who_proved_their_address_gets_their_mail_whoever_floods_its_spellings(
    callers: Any, registered: Any, postbox: Any
) -> None:
    person = callers()
    person.email = "proved@mail.example.com"
    await person.post(REGISTER, email=person.email, password=PASSWORD)
    await person.post("/v1/auth/email/verify/confirm", token=await postbox.token(person.email))
    for number in range(MOST_AT_ONCE + 2):
        await callers().post(REGISTER, email=f"proved+{number}@mail.example.com", password=PASSWORD)
    await person.post(FORGOT, email=person.email)
    assert await postbox.token(person.email)


async def test_asking_for_mail_of_one_kind_uses_up_none_of_another(registered: Any, callers: Any, postbox: Any) -> None:
    """Else asking for what is not even sent, as to an address that is confirmed, would keep its owner locked out."""
    person = await registered()
    statuses = [(await callers().post(VERIFY, email=person.email)).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    stranger = await registered()
    wish = {"email": person.email, "password": PASSWORD}
    assert (await stranger.post("/v1/auth/email/change", **wish)).status_code == 200
    assert (await callers().post(FORGOT, email=person.email)).status_code == 200
    while "/reset-password?" not in (await postbox.next(person.email)).text:
        pass
