"""A server that answers as it is told, in a thread: for what Stripe may say that its simulator never would."""

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

HANG = -1


@dataclass(frozen=True)
class Asked:
    """A request: its method, path, query or form, and headers in small letters."""

    method: str
    path: str
    fields: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What is answered; status `HANG` closes the connection without a word."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def failure(status: int, /, headers: Mapping[str, str] | None = None, **error: str) -> Answer:
    """An error in Stripe's shape."""
    return Answer({"error": {"type": "invalid_request_error", **error}}, status, headers or {})


def listed(*objects: object) -> Answer:
    """A page of a list, the last."""
    return Answer({"object": "list", "data": list(objects), "has_more": False, "url": "/v1/things"})


class StripeDouble:
    """Answers by method and path in the order given, the last one again and again."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: dict[tuple[str, str], deque[Answer]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def on(self, method: str, path: str, *answers: Answer) -> None:
        self.answers[method, path] = deque(answers)

    def to(self, method: str, path: str) -> list[Asked]:
        """What was asked there."""
        return [each for each in self.asked if (each.method, each.path) == (method, path)]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        answers = self.answers.get((asked.method, asked.path))
        if answers is None:
            return listed() if asked.method == "GET" else failure(404, code="resource_missing")
        return answers.popleft() if len(answers) > 1 else answers[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                address = urlsplit(self.path)
                length = int(self.headers.get("content-length") or 0)
                text = self.rfile.read(length).decode() if length else address.query
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = double._answer(Asked(self.command, address.path, dict(parse_qsl(text)), headers))
                if answer.status == HANG:
                    self.close_connection = True
                    return
                body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in {"content-type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - called by these names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
                """Write nothing: what is logged is looked into."""

        return Handler
