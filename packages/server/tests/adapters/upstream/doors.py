"""Servers on loopback whom nobody gets to ask anything: the ways in which TLS fails before a request is sent."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HANDSHAKE_FAILURE = bytes.fromhex("15030300020228")
"""The fatal alert, by RFC 8446 §6."""

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Path], Awaitable[None]]


@dataclass(slots=True)
class Door:
    """Where one is, and how often somebody came."""

    url: str = ""
    came: int = 0


@asynccontextmanager
async def door(kind: str, folder: Path) -> AsyncIterator[Door]:
    """One of `DOORS`, open for the block. `folder` takes its certificate."""
    found, running = Door(), set[asyncio.Task[None]]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.came += 1
        if (task := asyncio.current_task()) is not None:
            running.add(task)
        with suppress(OSError, asyncio.CancelledError):
            await DOORS[kind](reader, writer, folder)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    found.url = f"https://{host}:{port}"
    try:
        yield found
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _untrusted(_: asyncio.StreamReader, writer: asyncio.StreamWriter, folder: Path) -> None:
    """As it should be, but by a certificate that nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(folder))
    await writer.start_tls(context)


async def _refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: Path) -> None:
    await reader.read(1)
    writer.write(HANDSHAKE_FAILURE)
    await writer.drain()


async def _hanging_up(reader: asyncio.StreamReader, _: asyncio.StreamWriter, __: Path) -> None:
    await reader.read(65_536)


async def _plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _: Path) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
    await writer.drain()


async def _silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter, __: Path) -> None:
    await reader.read(-1)


DOORS: Mapping[str, Behaviour] = MappingProxyType(
    {
        "untrusted certificate": _untrusted,
        "handshake refused": _refusing,
        "handshake cut": _hanging_up,
        "no TLS": _plain,
        "silent handshake": _silent,
    }
)


def self_signed(folder: Path) -> Path:
    """Key and certificate of the loopback address, in one file."""
    path = folder / "self-signed.pem"
    if not path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        name, now = x509.Name([]), datetime.now(UTC)
        address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        unsigned = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        dated = unsigned.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        signed = dated.add_extension(address, critical=True).sign(key, hashes.SHA256())
        plain = serialization.NoEncryption()
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        path.write_bytes(secret + signed.public_bytes(serialization.Encoding.PEM))
    return path
