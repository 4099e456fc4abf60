"""What a provider may cost us in memory, connections and patience: providers are untrusted input."""

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class UpstreamLimits:
    """Per provider. `body_bytes` bounds an answer read whole, `stream_bytes` one read in pieces.

    `header_bytes` bounds the status line and each header line, `header_count` how many lines there are.
    `keep_alive` and `dns_cache` in seconds. `trust_env` lets HTTP_PROXY and its kin decide the route.
    """

    connections: int = 256
    body_bytes: int = 32 * _MIB
    stream_bytes: int = 256 * _MIB
    header_bytes: int = 16 * 1024
    header_count: int = 128
    keep_alive: float = 55.0
    dns_cache: int = 300
    trust_env: bool = False
