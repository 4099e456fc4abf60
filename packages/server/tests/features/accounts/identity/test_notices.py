"""Who did not change their factors themselves learns of it by mail."""

from typing import Any

import pytest

from monkey_coder_server.features.accounts import operator
from monkey_coder_server.features.accounts.notices import note_and_tell
from monkey_coder_server.web.request import Request
from packages.server.tests.authenticator import Authenticator
from packages.server.tests.features.accounts.persons import Person, login, newcomer, verify
from packages.server.tests.features.accounts.test_passkeys import register

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def somebody(house: Any, postbox: Any, stranger: Any, *, enrolled: bool = True) -> Person:
    """A person whose letters until now are read."""
    person = await newcomer(house, stranger.email)
    await postbox.token(person.email)
    if enrolled:
        await person.enrol()
        await postbox.next(person.email)
    return person


async def told(postbox: Any, person: Person, subject: str) -> str:
    """The one letter that came, which says the same in text and in HTML, where from and what to do; its text."""
    mail = await postbox.next(person.email)
    assert mail.subject == subject
    assert not postbox.holds_for(person.email)
    for shown in (mail.text, mail.html):
        assert "http://localhost:8000/forgot-password" in shown
        assert "If you did not want that" in shown
    return str(mail.text)


async def test_an_app_that_comes_and_goes_is_told(house: Any, postbox: Any, stranger: Any) -> None:
    person = await somebody(house, postbox, stranger, enrolled=False)
    await person.enrol()
    text = await told(postbox, person, "Your account has an authenticator app")
    assert "a person at the network address 127.0.0.1" in text
    for code in (*person.recovery_codes, person.secret):
        assert code not in text
    token = await person.confirmed("factors", code=person.code())
    gone = await person.ask("DELETE", "/v1/auth/mfa/totp", x_mk_confirmation=token)
    assert gone.status_code == 200
    await told(postbox, person, "Your authenticator app is no second factor any more")


async def test_a_passkey_that_comes_and_goes_is_told_by_its_name(house: Any, postbox: Any, stranger: Any) -> None:
    person = await somebody(house, postbox, stranger, enrolled=False)
    made = await register(person, Authenticator())
    assert "“laptop” was added" in await told(postbox, person, "Your account has a new passkey")
    token = await person.confirmed("factors", code=made["recovery_codes"][0])
    await told(postbox, person, "A recovery code of your account was used")
    path = f"/v1/auth/mfa/passkeys/{made['passkey']['passkey_id']}"
    assert (await person.ask("DELETE", path, x_mk_confirmation=token)).status_code == 200
    assert "“laptop” was taken away" in await told(postbox, person, "A passkey of your account was removed")


async def test_recovery_codes_made_and_used_up_are_told(house: Any, postbox: Any, stranger: Any) -> None:
    person = await somebody(house, postbox, stranger)
    waiting = await login(house, person)
    assert (await verify(house, waiting["mfa_token"], code=person.recovery_codes[0])).status_code == 200
    text = await told(postbox, person, "A recovery code of your account was used")
    assert "You have 9 left" in text
    assert person.recovery_codes[0] not in text
    token = await person.confirmed("factors", code=person.code())
    made = await person.post("/v1/auth/mfa/recovery-codes", x_mk_confirmation=token)
    text = await told(postbox, person, "Your account has new recovery codes")
    assert all(code not in text for code in made.json()["recovery_codes"])


async def test_what_was_refused_is_no_news(house: Any, postbox: Any, stranger: Any) -> None:
    person = await somebody(house, postbox, stranger)
    waiting = await login(house, person)
    for code in ("000000", "no recovery code"):
        assert (await verify(house, waiting["mfa_token"], code=code)).status_code == 401
    assert (await person.ask("DELETE", "/v1/auth/mfa/totp")).status_code == 403
    assert not postbox.holds_for(person.email)


async def test_what_an_operator_takes_away_is_told(house: Any, postbox: Any, stranger: Any) -> None:
    person = await somebody(house, postbox, stranger)
    await operator.remove_factors(house.gateway.books.accounts, email=person.email, reason="called back")
    text = await told(postbox, person, "Your second factors were removed")
    assert "the operator of this gateway" in text
    assert "called back" not in text


async def test_an_address_nobody_has_proved_gets_few_letters(house: Any, postbox: Any, stranger: Any) -> None:
    person = await somebody(house, postbox, stranger, enrolled=False)
    use, books = house.gateway.books.accounts, house.gateway.books
    request = Request({"headers": []}, no_body, request_id="req_test", client_ip="127.0.0.1")
    counts = []
    for _ in range(2):
        user = await books.storage.accounts.by_email(person.email)
        for _ in range(10):
            await note_and_tell(use, request, user, "factor.totp.remove")
        counts.append(sum(mail.to == person.email for mail in postbox.mails))
        await books.storage.accounts.set_email(user.user_id, user.email, verified_at=books.clock.now())
    assert 1 <= counts[0] <= 6
    assert counts[1] == counts[0] + 10


async def no_body() -> Any:
    raise AssertionError("nothing is read")
