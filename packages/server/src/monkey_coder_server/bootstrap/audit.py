"""What the operator's commands about the audit trail do, on the books of the configured gateway."""

from collections.abc import Callable
from typing import Any

from monkey_coder_server.bootstrap.books import open_books
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.audit import export
from monkey_coder_server.settings import Settings

_DIGEST_BYTES = 32


async def verify(settings: Settings, noted: str | None) -> dict[str, Any]:
    """Walk the chain; `noted` is a head printed earlier, which must still be in it. Raises `InvalidRequest`."""
    wanted = None if noted is None else _digest(noted)
    async with open_books(settings) as books:
        report = await books.storage.audit.verify(wanted)
    document: dict[str, Any] = {
        "sound": report.sound,
        "entries": report.chained,
        "before_the_chain": report.covered,
        "beside_the_chain": report.beside,
        "head": report.head.hex(),
        "broken": list(report.broken),
    }
    return document if report.noted is None else {**document, "noted_head_found": report.noted}


async def write(settings: Settings, format_name: str, email: str | None, out: Callable[[bytes], object]) -> bool:
    """Export the trail of an account, or the whole, piece by piece into `out`. Raises `GatewayError`."""
    async with open_books(settings) as books:
        account_id = None
        if email is not None:
            user = await books.accounts.accounts.by_email(email)
            if user is None:
                message = f"There is no account with the address {email}; `monkey-server admin list-users` shows all."
                raise InvalidRequest(message)
            account_id = user.account_id
        await books.note("audit.export", account_id or "every account")
        async for piece in export.pieces(books.storage.audit, account_id, export.checked(format_name)):
            out(piece)
    return True


def _digest(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != _DIGEST_BYTES:
        raise InvalidRequest("A head is 64 hexadecimal digits, as `admin audit verify` prints it.")
    return digest
