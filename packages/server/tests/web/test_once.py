"""What is made under an idempotency key is made once, and told again to whoever asked for it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from monkey_coder_server.adapters.sealing.aes import AesSealing
from monkey_coder_server.domain.errors import Conflict, IdempotencyConflict, InvalidRequest
from monkey_coder_server.ports.ledger import IdempotencyKey
from monkey_coder_server.web.asgi import Message, Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.once import Once
from monkey_coder_server.web.principal import ANONYMOUS, Principal
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import Response, json_reply


class Rows:
    """`ports.replies.Replies` in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], tuple[bytes, bytes | None]] = {}

    async def claim(self, account_id: str, key: IdempotencyKey, at: datetime) -> bytes | None:
        assert at.tzinfo is UTC
        row = self.rows.setdefault((account_id, key.key), (key.fingerprint, None))
        if row[0] != key.fingerprint:
            raise IdempotencyConflict("another body")
        return row[1]

    async def keep(self, account_id: str, key: str, reply: bytes) -> None:
        self.rows[account_id, key] = (self.rows[account_id, key][0], reply)

    async def release(self, account_id: str, key: str) -> None:
        del self.rows[account_id, key]


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 11, 28, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0.0


class Maker:
    """An endpoint that makes one thing after another, and `Once` before it."""

    def __init__(self) -> None:
        self.made = 0
        self.fail: list[Exception] = []
        self.rows = Rows()
        self.once = Once(self.rows, AesSealing(b"pepper"), Clock())

    async def make(self, request: Request) -> Reply:
        if self.fail:
            raise self.fail.pop()
        self.made += 1
        return json_reply(
            {"secret": f"mk-{self.made}", "asked": (await request.body()).decode()}, headers=[(b"x", b"y")]
        )

    async def ask(
        self, key: str | None, body: bytes = b"{}", *, account: str = "acc_1", path: str = "/v1/keys"
    ) -> Response:
        headers = [] if key is None else [(b"idempotency-key", key.encode("latin-1"))]
        scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": path,
            "headers": headers,
            "query_string": b"",
        }
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            return messages.pop()

        request = Request(scope, receive, request_id="req_1")
        request.principal = Principal(account_id=account, user_id="u") if account else ANONYMOUS
        reply = await self.once.serve(Route("POST", path, self.make, once=True), request)
        assert isinstance(reply, Response)
        return reply


async def test_a_repeat_is_told_the_first_reply_with_its_secret() -> None:
    maker = Maker()
    first, again = [await maker.ask("abc", b'{"name":"x"}') for _ in range(2)]
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers == [*first.headers, (b"idempotent-replayed", b"true")]
    assert b"mk-1" in again.body
    assert maker.made == 1


async def test_the_database_alone_tells_neither_key_nor_secret() -> None:
    maker = Maker()
    await maker.ask("abc")
    ((account, key), (_, reply)) = next(iter(maker.rows.rows.items()))
    assert account == "acc_1"
    assert "abc" not in key
    assert reply is not None
    assert b"mk-1" not in reply


async def test_another_body_or_path_or_account_is_another_request() -> None:
    maker = Maker()
    await maker.ask("abc")
    with pytest.raises(IdempotencyConflict):
        await maker.ask("abc", b"[]")
    with pytest.raises(IdempotencyConflict):
        await maker.ask("abc", path="/v1/quote")
    await maker.ask("abc", account="acc_2")
    assert maker.made == 2


async def test_strangers_with_one_key_are_no_conflict_and_see_nothing_of_each_other() -> None:
    maker = Maker()
    bodies = [(await maker.ask("1", body, account="")).body for body in (b'"ann"', b'"bob"', b'"ann"')]
    assert bodies[0] == bodies[2] != bodies[1]
    assert maker.made == 2


@pytest.mark.parametrize("failure", [Conflict("it is there"), ZeroDivisionError()])
async def test_after_a_failure_the_key_is_free(failure: Exception) -> None:
    maker = Maker()
    maker.fail = [failure]
    with pytest.raises(type(failure)):
        await maker.ask("abc")
    assert b"mk-1" in (await maker.ask("abc")).body


async def test_without_a_key_each_request_makes_its_own() -> None:
    maker = Maker()
    await maker.ask(None)
    await maker.ask(None)
    assert (maker.made, maker.rows.rows) == (2, {})


@pytest.mark.parametrize("key", ["", "x" * 201, "a\x07"])
async def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequest, match="Idempotency-Key"):
        await Maker().ask(key)


async def test_a_reply_that_cannot_be_read_any_more_is_not_made_again() -> None:
    maker = Maker()
    await maker.ask("abc")
    maker.once = Once(maker.rows, AesSealing(b"another pepper"), Clock())
    with pytest.raises(IdempotencyConflict, match="use a new key"):
        await maker.ask("abc")
    assert maker.made == 1
