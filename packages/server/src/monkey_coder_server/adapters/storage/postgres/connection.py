"""How a connection is opened, and how it never waits for ever."""

import time
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import psycopg
from psycopg import waiting
from psycopg.abc import AdaptContext, PQGen
from psycopg.adapt import AdaptersMap, Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.numeric import Int8Dumper

CONNECT_SECONDS = 3
ANSWER = timedelta(seconds=5)
"""How long the server may be silent before it is given up with its connection."""
LOCK_MS = 2_000
IDLE_IN_TRANSACTION_MS = 5_000
"""A process that stops, or is cut off, in the middle of a transaction keeps the wallets it has locked no longer than
this: less than others queue for, who would all be refused otherwise."""
LOOK_UP = timedelta(milliseconds=50)
"""How often a wait looks whether its time is over."""
PREPARED = 500
OLDEST_VERSION = 14

T = TypeVar("T")
_KEEP_ALIVE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": ANSWER // timedelta(milliseconds=1),
}
_SESSION = f"""
SET lock_timeout = {LOCK_MS}; SET idle_in_transaction_session_timeout = {IDLE_IN_TRANSACTION_MS};
SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""
"""An operator may make commits safer than `on`, never less safe. Dead peers are noticed on both sides."""


def after(within: timedelta) -> int:
    """A moment of `time.monotonic_ns`, so long from now."""
    return time.monotonic_ns() + within // timedelta(microseconds=1) * 1_000


class TooSlow(psycopg.OperationalError):
    """The server did not answer in time; the connection was closed, since nobody knows what it is doing."""


@dataclass(frozen=True, slots=True)
class Server:
    """A database by its address, `postgresql://…`; printed without its password."""

    url: str = field(repr=False)

    @property
    def shown(self) -> str:
        """User, hosts and database, for people."""
        try:
            facts = conninfo_to_dict(self.url)
        except psycopg.ProgrammingError:
            return "database of DATABASE_URL"
        where = f"{facts.get('host', 'the default host')}:{facts.get('port', 5432)}"
        return f"database {facts.get('dbname', 'of that name')} on {where} as {facts.get('user', 'the default user')}"


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection on which no wait takes longer than `patience`."""

    patience: timedelta = ANSWER

    def wait(self, gen: PQGen[T], *_: Any, **__: Any) -> T:
        """Run the driver until the server has answered. Raises `TooSlow`, with the connection closed."""
        bounded = _until(gen, after(self.patience))
        try:
            return waiting.wait(bounded, self.pgconn.socket, interval=LOOK_UP.total_seconds())
        except TooSlow:
            self.pgconn.finish()
            raise


def connect(server: Server, purpose: str) -> Connection:
    """Connect, within `CONNECT_SECONDS` for each address. Raises `psycopg.Error`."""
    given = conninfo_to_dict(server.url)
    ours: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": f"monkey-coder {purpose}",
        **_KEEP_ALIVE,
    }
    address = make_conninfo("", **{**ours, **given})
    try:
        connection = Connection.connect(address, autocommit=True, context=_ADAPTED)
    except psycopg.Error as error:
        raise error.with_traceback(None) from None  # the driver's frames would keep the socket of the attempt open
    connection.prepared_max = PREPARED
    try:
        connection.execute(_SESSION)
    except psycopg.Error:
        connection.close()
        raise
    return connection


def _until(gen: PQGen[T], until: int) -> Generator[Any, Any, T]:
    """The driver's steps, given up at a moment: the driver itself would wait for ever for a server that is paused."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic_ns() > until:
                raise TooSlow("the server does not answer")
            wanted = gen.send(ready)
    except StopIteration as done:
        answer: T = done.value
        return answer


class _WholeNumber(Loader):
    """NUMERIC as int: no column is of that type, only sums of whole numbers are."""

    def load(self, data: Any) -> int:
        return int(bytes(data))


class _Adapted(AdaptContext):
    """Every int goes as BIGINT, so that a statement is prepared once whatever its figures are."""

    def __init__(self) -> None:
        self._adapters = AdaptersMap(psycopg.adapters)
        self._adapters.register_dumper(int, Int8Dumper)
        self._adapters.register_loader("numeric", _WholeNumber)

    @property
    def adapters(self) -> AdaptersMap:
        return self._adapters

    @property
    def connection(self) -> None:
        return None


_ADAPTED = _Adapted()
