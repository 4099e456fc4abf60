"""Which request heads are refused although the parser takes them: those that two servers could read differently.

A proxy in front of us that reads such a head otherwise than we do would hand us one caller's bytes as another's request
(request smuggling), or hold us for another host. RFC 9112, sections 3.2, 6.1 and 6.3, is the source of each rule.
"""

import re
from collections.abc import Iterable

FRAMING_BYTES = 64 * 1024
"""What may surround a body's bytes, in chunk sizes, chunk extensions and trailers, beyond what each chunk needs.

The head is counted in where it came in one piece with the body's beginning."""
FRAMING_PER_BYTE = 8
"""A chunk of one byte takes five more; longer sizes are written with leading zeros by some."""
_HOST = re.compile(rb"(?:[0-9A-Za-z._~%-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")


def objection(url: bytes, version: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Why a request is refused, as a sentence; empty for one that is not. Names of headers come in lower case."""
    if not url.startswith((b"/", b"*")):
        return "The request names a whole address; send the path alone: this gateway is not a proxy."
    hosts = 0
    for name, value in headers:
        if name == b"host":
            hosts += 1
            if not _HOST.fullmatch(value):
                return "The Host header is not a host name with an optional port."
        elif name == b"transfer-encoding" and (version == "1.0" or value.lower() != b"chunked"):
            return "The only Transfer-Encoding taken is chunked, in HTTP/1.1."
    if hosts != 1 and (hosts or version != "1.0"):
        return "The request must have exactly one Host header."
    return ""


def overladen(received: int, body: int) -> bool:
    """Whether too many of the bytes received after a head were none of the body."""
    return received - body > FRAMING_BYTES + FRAMING_PER_BYTE * body
