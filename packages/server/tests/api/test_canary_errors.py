"""Every error code there is, each driven with markers in whatever its request holds; a new code fails until it is, too.

What only lives here is among the markers: tokens in letters, codes of apps and of recovery, tickets, codes of programs
that log in, a sign-in provider's code and our secret there, the mail API's key, our own secrets.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs
from stripe import WebhookSignature

from monkey_coder_protocol.errors import ErrorCode
from monkey_coder_server.adapters.leasing import LeasedLedger
from monkey_coder_server.adapters.upstream.client import HttpUpstream
from monkey_coder_server.domain.errors import FailureKind, PaymentRefused, PriceUnknown, Unavailable
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.features.inference import attempt
from monkey_coder_server.ports.ledger import AttemptRecord
from monkey_coder_server.ports.upstream import Deadlines
from packages.server.tests.api.driving import (
    BASIC,
    CARD,
    HEADER,
    PROMPT,
    PROVIDER_KEYS,
    SENT,
    WEBHOOK_SECRET,
    Drive,
    drive,
    log,
    nothing_of,
)
from packages.server.tests.features.accounts.people import joined
from packages.server.tests.features.accounts.persons import PASSWORD

__all__ = ["drive", "log"]
pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]
Story = Callable[[Drive], Awaitable[object]]
FAULTS = {
    FailureKind.TIMEOUT: "fault=hang",
    FailureKind.MALFORMED: "fault=garbage",
    FailureKind.CUT_SHORT: "fault=eof",
    FailureKind.CONNECTION: "fault=reset",
    FailureKind.SERVER_ERROR: "fault=500",
    FailureKind.OVERLOADED: "fault=529",
    FailureKind.CONTENT_FILTER: 'fault=400 message="against our content policy {said}"',
    FailureKind.CONTEXT_TOO_LONG: 'fault=400 message="prompt is too long {said}"',
    FailureKind.INVALID_REQUEST: "fault=400",
    FailureKind.NOT_FOUND: "fault=404",
    FailureKind.PERMISSION: "fault=403",
    FailureKind.RATE_LIMIT: "fault=429",
    FailureKind.QUOTA: "fault=quota",
    FailureKind.AUTHENTICATION: "fault=401",
}
"""How a simulated provider fails in each way there is."""


async def _in_another_words(drive: Drive) -> None:
    for words in ("Well", "Good"):
        await drive.task(task_id="the same", prompt=f"{PROMPT} [[sandbox text={words}]]")


async def _while_it_runs(drive: Drive) -> None:
    words = f"{PROMPT} [[sandbox fault=slow_first_byte delay=0.5 text=Well]]"
    await asyncio.gather(*(drive.task(task_id="twice", prompt=words) for _ in range(2)))


async def _slowly(drive: Drive) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield f'{{"prompt": "{PROMPT}'.encode()
        await asyncio.sleep(0.5)
        yield b'"}'

    application = drive.house.gateway.application
    with drive.patch.context() as patch:
        patch.setattr(application, "options", replace(application.options, body_seconds=0.05))
        headers = {**SENT, "authorization": f"Bearer {drive.house.key}", "content-type": "application/json"}
        await drive.house.client.post("/v1/execute", content=pieces(), headers=headers)


async def _too_much(drive: Drive) -> None:
    application = drive.house.gateway.application
    with drive.patch.context() as patch:
        patch.setattr(application, "options", replace(application.options, body_limit=20))
        await drive.task()


async def _while_it_breaks(drive: Drive, error: Exception) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise error

    with drive.patch.context() as patch:
        patch.setattr(LeasedLedger, "hold", broken)
        await drive.task()


async def _wrong_log_ins(drive: Drive) -> None:
    person = await drive.enrolled()
    for password in (PASSWORD + "x", PASSWORD):
        body = {"email": person.email, "password": password}
        mfa_token = (await drive.ask("/v1/auth/login", body)).json().get("mfa_token", "")
    drive.kept(mfa_token)
    await drive.ask("/v1/auth/mfa/verify", {"mfa_token": mfa_token, "code": person.code(-1)})
    await drive.ask("/v1/auth/mfa/verify", {"mfa_token": mfa_token + "x", "code": person.recovery_codes[0]})
    await person.confirmation("keys", password=PASSWORD, code=person.recovery_codes[0] + "x")
    answer = await drive.ask("/v1/auth/mfa/verify", {"mfa_token": mfa_token, "code": drive.kept(person.code())})
    tokens = answer.json()
    drive.secrets.update((tokens["access_token"], tokens["refresh_token"]))
    for _ in range(2):
        answer = await drive.ask("/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})
        drive.secrets.update(answer.json().get(name, PASSWORD) for name in ("access_token", "refresh_token"))


async def _unconfirmed(drive: Drive) -> None:
    person = await drive.person()
    token = drive.kept(await person.confirmed("identity"))
    await person.grow_old()
    await person.post("/v1/keys", {"name": "one"}, x_mk_confirmation=token)
    await person.post("/v1/keys", {"name": "one"})


async def _unenrolled(drive: Drive) -> None:
    owner = await drive.enrolled()
    first = await drive.ask("/v1/auth/login", {"email": owner.email, "password": PASSWORD})
    proof = {"mfa_token": drive.kept(first.json()["mfa_token"]), "code": owner.recovery_codes[0]}
    owner.access = drive.kept((await drive.ask("/v1/auth/mfa/verify", proof)).json()["access_token"])
    path = f"/v1/organizations/{(await owner.post('/v1/organizations', {'name': 'Firm'})).json()['organization_id']}"
    member = await joined(drive.house, path.rpartition("/")[2], Role.DEVELOPER)
    await owner.ask("PATCH", path, {"second_factor_required": True})
    await drive.house.client.get(path, headers=member.headers)


async def _invited(drive: Drive) -> None:
    """Who has the letter of another is refused; who asks to be what they are is, too."""
    owner, guest = await drive.person(), await drive.person()
    path = f"/v1/organizations/{(await owner.post('/v1/organizations', {'name': 'Firm'})).json()['organization_id']}"
    drive.letters.clear()
    await owner.post(f"{path}/invitations", {"email": "guest@example.com", "role": "viewer"})
    token = await drive.letter()
    await guest.post("/v1/invitations/accept", {"token": token})
    await guest.post("/v1/invitations/accept", {"token": token + "x"})
    await owner.post("/v1/auth/mfa/totp/confirm", {"code": "123456"})


async def _reset(drive: Drive) -> None:
    """Letters while the mail API refuses them with their own words, and what they held used twice."""
    person = await drive.person()
    for status in (422, 500, 200):
        drive.letters.clear()
        drive.mail_status.append(status)
        await drive.ask("/v1/auth/password/forgot", {"email": person.email})
        token = await drive.letter()
        await asyncio.sleep(0.05)
    fresh = drive.kept("Canary-New-Passw0rd with words")
    for password in ("short", fresh, fresh):
        await drive.ask("/v1/auth/password/reset", {"token": token, "new_password": password})


async def _signed_in(drive: Drive) -> None:
    path = "/v1/auth/oauth/generic"
    for lie in ({}, {"aud": "another"}, {"nonce": "another"}):
        drive.provider.lie = lie
        begun = (await drive.ask(f"{path}/initiate", method="GET")).json()
        back = drive.provider.consent(begun["authorization_url"])
        back["code"] = drive.kept(f"Canary-Oidc-Code-{len(lie)}{len(drive.provider.codes)}-8d1c")
        drive.provider.codes[back["code"]] = drive.provider.codes.popitem()[1]
        drive.kept(back["state"])
        for _ in range(2):
            answer = await drive.house.client.get(f"{path}/callback", params=back, headers=SENT)
            drive.secrets.update(answer.json().get(name, PASSWORD) for name in ("access_token", "refresh_token"))


async def _device(drive: Drive) -> None:
    person, at = await drive.person(), "/v1/auth/device"
    begun = (await drive.ask(f"{at}/authorize", {"client_name": "monkey", "host": "desk"})).json()
    drive.secrets.update((begun["device_code"], begun["user_code"]))
    grant = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": begun["device_code"]}
    for _ in range(2):
        await drive.ask(f"{at}/token", grant)
    await person.post(f"{at}/deny", {"user_code": begun["user_code"]})
    await person.post(f"{at}/deny", {"user_code": begun["user_code"]})
    with drive.patch.context() as patch:
        patch.setattr("monkey_coder_server.features.accounts.cli_login.device.EARLY", 100.0)
        await drive.ask(f"{at}/token", grant)
    expired = drive.kept("Canary-Device-Code-" + "0c9a" * 8) + ".1"
    await drive.ask(f"{at}/token", {**grant, "device_code": expired})
    await drive.ask(f"{at}/token", {**grant, "device_code": drive.kept("Canary-Device-Code-6e")})
    await drive.ask(f"{at}/token", {**grant, "grant_type": "password"})
    code = {"grant_type": "authorization_code", "code": drive.kept("Canary-Code-71"), "client_id": "monkey-cli"}
    code |= {"code_verifier": drive.kept("Canary-Verifier-" + "v" * 40), "redirect_uri": "http://127.0.0.1:1/callback"}
    await drive.ask("/v1/auth/authorize/token", code)


async def _paid(drive: Drive) -> None:
    """Webhooks that are not the processor's, and one that is, about a payment it then says nothing good of."""
    told = {"id": "evt_1", "type": "payment_intent.succeeded", "created": 1, "livemode": False}
    body = json.dumps({**told, "data": {"object": {"id": "pi_1", "object": "payment_intent", "note": CARD}}})
    for text, signature in (
        (body, f"t=1,v1={WEBHOOK_SECRET}"),
        (body + " ", WebhookSignature.generate_signature_header(body, WEBHOOK_SECRET)),
        (CARD, WebhookSignature.generate_signature_header(CARD, WEBHOOK_SECRET)),
        (body.replace("false", "true"), WebhookSignature.generate_signature_header(body, WEBHOOK_SECRET)),
        (body, WebhookSignature.generate_signature_header(body, WEBHOOK_SECRET)),
    ):
        headers = {**SENT, "stripe-signature": signature}
        await drive.house.client.post("/v1/billing/webhook", content=text, headers=headers)
    inbox = drive.house.gateway.books.storage.payment_inbox
    for _ in range(500):
        if (await inbox.state()).failing:
            return
        await asyncio.sleep(0.01)
    pytest.fail("the event was not tried")


async def _broke(drive: Drive) -> None:
    made = await operator.create_user(
        drive.house.gateway.books.accounts, email="broke@example.com", password=None, credit=0, plan=None
    )
    await drive.task(drive.kept(made.api_key))


async def _wrong_keys(drive: Drive) -> None:
    wrong = drive.kept(drive.house.key[:-1] + ("a" if drive.house.key[-1] != "a" else "b"))
    await drive.task(wrong)
    await drive.ask("/v1/execute", {"prompt": PROMPT}, authorization=f"Basic {BASIC}")
    await drive.ask("/v1/execute", {"prompt": PROMPT}, authorization="Bearer a.b." + drive.kept("Canary-Token-c8"))


async def _limited(drive: Drive) -> None:
    key = await drive.key(rate=1)
    for _ in range(2):
        await drive.task(key)


async def _from(drive: Drive, *, key: Any = None, **fields: Any) -> None:
    await drive.task(await drive.key(**key) if key else "", **fields)


STORIES: dict[ErrorCode, Story] = {
    ErrorCode.INVALID_REQUEST: lambda drive: drive.task(task_type=["one"]),
    ErrorCode.INVALID_API_KEY: _wrong_keys,
    ErrorCode.INVALID_CREDENTIALS: _wrong_log_ins,
    ErrorCode.NOT_AUTHENTICATED: lambda drive: drive.ask("/v1/execute", {"prompt": PROMPT}),
    ErrorCode.INSUFFICIENT_CREDIT: _broke,
    ErrorCode.BUDGET_EXCEEDED: lambda drive: drive.task(max_cost="0.000000001"),
    ErrorCode.PAYMENT_REFUSED: lambda drive: _while_it_breaks(drive, PaymentRefused("It was refused.")),
    ErrorCode.MODEL_NOT_ALLOWED: lambda drive: _from(drive, key={"models": ["groq/*"]}),
    ErrorCode.FORBIDDEN: lambda drive: _from(drive, key={"scopes": ["models:read"]}),
    ErrorCode.CONFIRMATION_REQUIRED: _unconfirmed,
    ErrorCode.MFA_ENROLMENT_REQUIRED: _unenrolled,
    ErrorCode.NOT_FOUND: lambda drive: drive.task(quote_id="quote_none"),
    ErrorCode.METHOD_NOT_ALLOWED: lambda drive: drive.ask("/v1/execute", {"prompt": PROMPT}, "PUT"),
    ErrorCode.MODEL_NOT_FOUND: lambda drive: drive.task(model="openai/nothing"),
    ErrorCode.PRICE_UNKNOWN: lambda drive: _while_it_breaks(drive, PriceUnknown("It has no price.")),
    ErrorCode.CONFLICT: _invited,
    ErrorCode.IDEMPOTENCY_CONFLICT: _in_another_words,
    ErrorCode.REQUEST_IN_PROGRESS: _while_it_runs,
    ErrorCode.REQUEST_TIMEOUT: _slowly,
    ErrorCode.REQUEST_TOO_LARGE: _too_much,
    ErrorCode.CONTEXT_TOO_LONG: lambda drive: drive.task(prompt=f"{PROMPT} " * 400_000),
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: lambda drive: drive.ask(
        "/v1/execute", {"prompt": PROMPT}, content_encoding="gzip", authorization=f"Bearer {drive.house.key}"
    ),
    ErrorCode.UPGRADE_REQUIRED: lambda drive: drive.ask("/v1/execute", None, "GET", upgrade="websocket"),
    ErrorCode.RATE_LIMITED: _limited,
    ErrorCode.AUTHORIZATION_PENDING: _device,
    ErrorCode.SLOW_DOWN: _device,
    ErrorCode.ACCESS_DENIED: _device,
    ErrorCode.EXPIRED_TOKEN: _device,
    ErrorCode.INVALID_GRANT: _device,
    ErrorCode.UNSUPPORTED_GRANT_TYPE: _device,
    ErrorCode.PROVIDER_ERROR: lambda drive: drive.task(prompt=f"{PROMPT} [[sandbox fault=500]]"),
    ErrorCode.PROVIDER_TIMEOUT: lambda drive: drive.task(
        prompt=f"{PROMPT} [[sandbox fault=hang]]", context={"timeout": 1}
    ),
    ErrorCode.NOT_CACHED: lambda drive: drive.ask(
        "/v1/execute",
        {"prompt": PROMPT, "task_type": "custom"},
        cache_control="only-if-cached",
        authorization=f"Bearer {drive.house.key}",
    ),
    ErrorCode.UNAVAILABLE: lambda drive: _while_it_breaks(drive, Unavailable("The store is away.", retry_after=1)),
    ErrorCode.INTERNAL: lambda drive: _while_it_breaks(drive, RuntimeError(f"{PROMPT} {drive.house.key}")),
}
BESIDE = (_reset, _signed_in, _paid)
"""Whose errors have codes that others have, too."""


async def test_no_error_there_is_gives_anything_away(drive: Drive) -> None:
    assert STORIES.keys() == set(ErrorCode), "drive the new error code with markers, too"
    for code, story in STORIES.items():
        await story(drive)
        assert code in drive.codes, f"{code} is to be driven; what came was {drive.codes}"
    for story in BESIDE:
        await story(drive)
    await drive.house.gateway.application.services.refusals.settle()
    nothing_of(drive)


async def test_no_way_a_provider_fails_gives_anything_away(drive: Drive) -> None:
    seen: set[FailureKind] = set()

    def spy(*fields: Any, **named: Any) -> Any:
        seen.update(each for each in fields if isinstance(each, FailureKind))
        return AttemptRecord(*fields, **named)

    send = HttpUpstream.send

    async def impatient(upstream: Any, provider: str, base_url: str, request: Any, deadlines: Deadlines) -> Any:
        return await send(upstream, provider, base_url, request, structs.replace(deadlines, first_byte=0.5, idle=0.5))

    drive.patch.setattr(attempt, "AttemptRecord", spy)
    drive.patch.setattr(HttpUpstream, "send", impatient)
    assert FAULTS.keys() == set(FailureKind)
    await drive.enrolled()
    for kind, fault in FAULTS.items():
        said = f"your keys are {' '.join(PROVIDER_KEYS)} {HEADER}"
        words = fault.format(said=said) if "{said}" in fault else f'{fault} message="{said}"'
        for path in ("/v1/execute", "/v1/execute/stream"):
            await drive.task(path=path, prompt=f"{PROMPT} [[sandbox {words}]]", context={"timeout": 3})
        assert kind in seen, kind
    nothing_of(drive)
