"""Whether Redis can be used, asked once, for `check-config`."""

import socket

from hiredis import HiredisError, Reader, ReplyError

from monkey_coder_server.adapters.redis.place import place_of

SECONDS = 2.0


def unreachable(url: str) -> str | None:
    """Why Redis cannot be used as it is, without the address in it; None when it can."""
    place = place_of(url)
    try:
        with socket.create_connection((place.host, place.port), timeout=SECONDS) as plain:
            context = place.context
            if context is None:
                return _greet(plain, place.greeting())
            with context.wrap_socket(plain, server_hostname=place.host) as wrapped:
                return _greet(wrapped, place.greeting())
    except OSError as refused:
        return refused.strerror or type(refused).__name__


def _greet(connection: socket.socket, greeting: tuple[bytes, ...]) -> str | None:
    reader = Reader()
    for command in greeting:
        connection.sendall(command)
        try:
            while (reply := reader.gets()) is False:
                got = connection.recv(4096)
                if not got:
                    return "it closed the connection"
                reader.feed(got)
        except HiredisError:
            return "what answers there is no Redis"
        if isinstance(reply, ReplyError):
            return str(reply)
    return None
