"""An upstream that plays recordings: a request's text names the one it is answered with."""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from packages.server.tests.recordings import replay
from packages.server.tests.recordings.replay import Record

_NAMED = re.compile(rb"RECORDING ([a-z]+-[0-9a-f]{12})")
_KEPT_HEADERS = ("content-type", "retry-after", "x-request-id", "request-id")


def prompt(record: Record) -> str:
    """What to say for this recording to be the answer."""
    return f"RECORDING {record['id']}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    records: Mapping[str, Record] = {}

    def do_POST(self) -> None:
        """Answer as the provider did, in pieces cut without regard to lines or characters."""
        asked = self.rfile.read(int(self.headers["content-length"]))
        named = _NAMED.search(asked)
        assert named is not None, asked[:300]
        record = self.records[named[1].decode()]
        self.send_response(record["response"]["status"])
        for name, value in record["response"]["headers"].items():
            if name.lower() in _KEPT_HEADERS:
                self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in replay.cut(replay.body_of(record), seed=len(asked), largest=2_000):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def replayer(records: Mapping[str, Record]) -> Iterator[str]:
    """Serve these recordings by id; the address."""
    handler = type("Handler", (_Handler,), {"records": records})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.handle_error = lambda *_: None  # the gateway hangs up on what it has heard enough of
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
