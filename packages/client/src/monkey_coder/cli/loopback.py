"""A listener on this computer alone, to which the browser brings the answer of a login (RFC 8252, section 7.3)."""

import base64
import hashlib
import hmac
import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

ADDRESS = "127.0.0.1"
PATH = "/callback"
_LOOK = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:30rem;margin:15vh auto;padding:0 1rem;color-scheme:light dark}"
)
_STYLE = f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_LOOK.encode()).digest()).decode()}'"
_WORDS = {
    200: "Logged in. You can close this page and go back to your terminal.",
    403: "The login was refused. You can close this page.",
    400: "This answer belongs to another login.",
    404: "There is nothing here.",
}


class Listener:
    """Use as a context manager. Whatever comes without the right `state` is turned away and changes nothing."""

    def __init__(self, state: str) -> None:
        self._state = state
        self._answers: queue.Queue[dict[str, str]] = queue.Queue(maxsize=1)
        self._server = ThreadingHTTPServer((ADDRESS, 0), self._handler())

    @property
    def redirect_uri(self) -> str:
        """Where the browser is to go."""
        return f"http://{ADDRESS}:{self._server.server_port}{PATH}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, seconds: float) -> dict[str, str] | None:
        """The answer's parameters, None when none came in time."""
        ends = time.monotonic() + seconds
        while True:
            try:
                return self._answers.get(timeout=max(0.0, min(0.25, ends - time.monotonic())))
            except queue.Empty:  # in short steps, so that Ctrl-C is heard on every system
                if time.monotonic() >= ends:
                    return None

    def take(self, path: str, host: str | None) -> int:
        """Judge one request; the status it is answered with."""
        parts = urlsplit(path)
        if parts.path != PATH:
            return 404
        given = dict(parse_qsl(parts.query))
        ours = host == f"{ADDRESS}:{self._server.server_port}"
        if not ours or not hmac.compare_digest(given.get("state", "").encode(), self._state.encode()):
            return 400
        if "code" not in given and "error" not in given:
            return 400
        try:
            self._answers.put_nowait(given)
        except queue.Full:
            return 400
        return 200 if "code" in given else 403

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self.take

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status = take(self.path, self.headers.get("Host"))
                page = (
                    f"<!doctype html><meta charset=utf-8><title>monkey</title><style>{_LOOK}</style><p>{_WORDS[status]}"
                )
                body = page.encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Security-Policy", f"default-src 'none'; {_STYLE}; frame-ancestors 'none'")
                self.send_header("Cache-Control", "no-store")
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing: the address holds the code."""

        return Handler
