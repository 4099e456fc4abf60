"""What a provider may cost us in memory, connections and patience: providers are untrusted input."""

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class UpstreamLimits:
    """Per provider. `body_bytes` bounds an answer read whole, `stream_bytes` one read in pieces.

    `header_bytes` bounds the status line and each header line, `header_count` how many lines there are, with those of
    interim answers and trailers. `unread_bytes` is how much of an answer may wait for its reader before no more is
    taken from its socket. `keep_alive` and `dns_cache` in seconds.
    """

    connections: int = 1024
    body_bytes: int = 32 * _MIB
    stream_bytes: int = 256 * _MIB
    header_bytes: int = 16 * 1024
    header_count: int = 128
    unread_bytes: int = 128 * 1024
    keep_alive: float = 55.0
    dns_cache: float = 300.0
