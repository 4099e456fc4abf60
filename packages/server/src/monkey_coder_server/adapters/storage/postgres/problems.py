"""What errors of the driver mean: to the writer, to callers, to the operator who starts a gateway."""

import psycopg
from psycopg import errors

from monkey_coder_server.adapters.storage.operations import RETRY_AFTER_SECONDS, UnusableDatabase, unavailable
from monkey_coder_server.adapters.storage.postgres.connection import OLDEST_VERSION, Connection, Server
from monkey_coder_server.domain.errors import InvalidRequest, Unavailable

CONTENTION = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable)
"""Another transaction was in the way; run again, the operation may well succeed."""
SENTENCES = (
    ("authentication failed", "the password or the user is wrong"),
    ("no password supplied", "it wants a password and DATABASE_URL has none"),
    ("does not exist", "there is no such database or user; create it first"),
    ("permission denied", "the user may not do that there; make it the owner of the database"),
    ("no pg_hba.conf entry", "the server lets nobody in from here as this user; see its pg_hba.conf"),
    ("onnection refused", "nothing listens there (is the server running?)"),
    ("unreachable", "no network leads there"),
    ("could not translate host name", "the host name is not known"),
    ("failed to resolve host", "the host name is not known"),
    ("timeout expired", "it does not answer"),
    ("starting up", "it is still starting; try again in a moment"),
    ("too many connections", "it has no connection left; a gateway needs 7"),
    ("remaining connection slots", "it has no connection left; a gateway needs 7"),
    ("read-only", "it is a standby that cannot be written"),
    ("invalid URI", "it is no postgresql://USER:PASSWORD@HOST/DATABASE"),
)
LASTING = frozenset(
    {
        "authentication failed",
        "no password supplied",
        "does not exist",
        "permission denied",
        "no pg_hba.conf entry",
        "invalid URI",
    }
)
"""What somebody has to correct. All else may be over in a moment: a server that starts, a failover, a network."""


class UnknownEnd(Unavailable):
    """The connection was lost while a commit was on its way: it may have happened. Every operation may be repeated."""


class UnsuitableServer(psycopg.OperationalError):
    """The server is too old or keeps text in an encoding that cannot hold ours."""


def unknown_end() -> UnknownEnd:
    """The error of an operation whose commit was sent and never answered."""
    message = "The ledger went away while this was being written, so it may or may not be booked; please try again."
    return UnknownEnd(message, retry_after=RETRY_AFTER_SECONDS)


def unreadable(reason: str) -> Unavailable:
    """The error of a store that cannot be read now."""
    message = f"The ledger cannot be read right now ({reason}); please try again."
    return Unavailable(message, retry_after=RETRY_AFTER_SECONDS)


def is_lost(connection: Connection, error: BaseException) -> bool:
    """Whether an error means that nothing more can be done on a connection."""
    return connection.closed or isinstance(error, errors.AdminShutdown | errors.CrashShutdown | errors.CannotConnectNow)


def told(error: Exception) -> Exception:
    """What the caller of an operation is told for an error its statements raised."""
    if isinstance(error, psycopg.DataError) and "NUL" in str(error):
        return InvalidRequest("The text holds a NUL character (U+0000), which cannot be stored.")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | errors.ReadOnlySqlTransaction):
        return unavailable(type(error).__name__)
    return error


def check(connection: Connection) -> None:
    """Refuse a server we cannot keep books in. Raises `UnsuitableServer`."""
    if connection.info.server_version < OLDEST_VERSION * 10_000:
        message = f"it is version {connection.info.server_version // 10_000}; {OLDEST_VERSION} or newer is needed"
        raise UnsuitableServer(message)
    if connection.info.parameter_status("server_encoding") != "UTF8":
        message = "its encoding is not UTF8; create the database with ENCODING 'UTF8'"
        raise UnsuitableServer(message)


def unusable(server: Server, error: psycopg.Error) -> UnusableDatabase:
    """The sentence for an operator whose database cannot be opened."""
    said = " ".join(str(error).split())
    part, reason = next((each for each in SENTENCES if each[0] in said), ("", f"it says: {said[:300]}"))
    if isinstance(error, UnsuitableServer):
        return UnusableDatabase(f"Cannot open the {server.shown}: {said}.")
    away = isinstance(error, psycopg.OperationalError) and part not in LASTING
    return UnusableDatabase(f"Cannot open the {server.shown}: {reason}.", away=away)
