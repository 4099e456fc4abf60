"""`Idempotency-Key` on requests that make something: keys, accounts, sessions, quotes. What was made is told again.

Requests that are charged for have their keys in the ledger, with their holds.

Who had to prove who they are uses their proof up by a request. When its answer is lost they send the same again and are
told what was kept: in the same session, with the same proof or with as little.
"""

import asyncio
from hashlib import sha256

import msgspec

from monkey_coder_server.domain.errors import IdempotencyConflict, InvalidRequest
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import IdempotencyKey
from monkey_coder_server.ports.record import Record
from monkey_coder_server.ports.replies import Replies, Sealing
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.assurance import proof_of
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import Response

HEADER = "idempotency-key"
REPLAYED = (b"idempotent-replayed", b"true")
LONGEST = 200


class _Kept(Record, frozen=True):
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    proved_by: bytes = b""


class _Claim(Record, frozen=True):
    account_id: str
    key: IdempotencyKey
    purpose: bytes


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Kept)


def checked_key(header: str) -> str:
    """A caller's idempotency key. Raises `InvalidRequest` for what is none."""
    if not 0 < len(header) <= LONGEST or not header.isprintable():
        message = f"The header `Idempotency-Key` must be 1 to {LONGEST} printable characters."
        raise InvalidRequest(message)
    return header


class Once:
    """Replies may hold secrets that nothing else keeps: they are sealed, and their keys stored as hashes."""

    def __init__(self, replies: Replies, sealing: Sealing, clock: Clock) -> None:
        self._replies = replies
        self._sealing = sealing
        self._clock = clock

    async def serve(self, route: Route, request: Request) -> Reply:
        """The endpoint's reply, or the first one under the same key.

        Raises `IdempotencyConflict`, `RequestInProgress`, `Unavailable`, and what the endpoint raises: then nothing was
        made, and the key is free.
        """
        header = request.header(HEADER)
        if header is None:
            return await route.endpoint(request)
        claim = _claim_of(route, request, checked_key(header), await request.keep_body())
        earlier = await self._replies.claim(claim.account_id, claim.key, self._clock.now())
        if earlier is not None:
            return _told_again(self._opened(claim, earlier))
        try:
            reply = await route.endpoint(request)
        except Exception:
            await asyncio.shield(self._replies.release(claim.account_id, claim.key.key))
            raise
        if isinstance(reply, Response):
            kept = _encode(_Kept(reply.status, tuple(reply.headers), reply.body, proof_of(request)))
            sealed = self._sealing.seal(kept, claim.purpose)
            await asyncio.shield(self._replies.keep(claim.account_id, claim.key.key, sealed))
        return reply

    async def proved_before(self, route: Route, request: Request) -> Reply | None:
        """The reply to this very request, which its session has proved itself for already; None if there is none.

        Raises `InvalidRequest`, `IdempotencyConflict`, `RequestInProgress`, `Unavailable`.
        """
        header = request.header(HEADER)
        if header is None or not route.once:
            return None
        claim = _claim_of(route, request, checked_key(header), await request.keep_body())
        sealed = await self._replies.find(claim.account_id, claim.key, self._clock.now())
        kept = None if sealed is None else self._opened(claim, sealed)
        if kept is None or kept.proved_by != proof_of(request):
            return None
        return _told_again(kept)

    def _opened(self, claim: _Claim, sealed: bytes) -> _Kept:
        plain = self._sealing.open(sealed, claim.purpose)
        if plain is None:
            raise IdempotencyConflict("The reply under this idempotency key cannot be read any more; use a new key.")
        return _decoder.decode(plain)


def _told_again(kept: _Kept) -> Response:
    return Response(kept.status, kept.body, [*kept.headers, REPLAYED])


def _claim_of(route: Route, request: Request, given: str, body: bytes) -> _Claim:
    """Nobody knows a stranger's request: where no account is named the key is that of one body alone.

    Nor does anybody get what another member of their organization has made.
    """
    account = request.principal.account_id
    place = f"{route.method} {route.path} {sorted(request.parameters.items())}".encode()
    fingerprint = sha256(place + b"\0" + body).digest()
    person = request.principal.user_id if request.principal.role is not None else ""
    secret = b"\0".join((account.encode(), given.encode(), person.encode() if account else fingerprint))
    return _Claim(account, IdempotencyKey(f"call:{sha256(secret).hexdigest()}", fingerprint), secret)
