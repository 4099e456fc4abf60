"""A scriptable stand-in for the gateway: one brain, usable as an httpx2 transport and as a loopback server.

`python -m packages.client.tests.fake_gateway 8123` runs it by hand.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2

from packages.client.tests.identity_answers import IDENTITY
from packages.client.tests.usage_answers import USAGE

KEY = "mk-test-0123456789abcdefghij"
MODEL = {
    "id": "gpt-5-mini",
    "object": "model",
    "created": 0,
    "owned_by": "openai",
    "provider": "openai",
    "display_name": "GPT-5 mini",
    "context_window": 400000,
    "max_output_tokens": 128000,
    "capabilities": ["tools"],
    "input_price_usd_per_mtok": "0.25",
    "output_price_usd_per_mtok": "2",
}
USER = {
    "id": "u1",
    "email": "ada@example.com",
    "name": "Ada",
    "credits": 500,
    "credit_usd": "5.00",
    "subscription_tier": "hobby",
    "is_developer": False,
    "roles": ["user"],
}
GIVEN = {
    "access_token": KEY,
    "api_key": KEY,
    "key_id": "key_2",
    "key_name": "cli on box",
    "user": USER,
    "token_type": "Bearer",
}
"""What a login of a command line is given."""
KEY_INFO = {
    "key_id": "key_1",
    "name": "laptop",
    "prefix": "mk-test-0123",
    "status": "active",
    "created_at": "2026-11-23T08:00:00Z",
    "expires_at": None,
    "last_used": None,
    "scopes": [],
    "models": None,
    "caps": None,
}
ARTIFACTS = [
    {"name": "main.py", "type": "code", "filename": "main.py", "content": "print('hello')\n", "language": "python"},
    {"name": "util.py", "type": "code", "filename": "app/core.py", "content": "ANSWER = 42\n", "language": "python"},
]
ANSWER = "Here is a **small API**:\n\n```python\nprint('hello')\n```\n"


@dataclass(frozen=True)
class Answer:
    """A scripted HTTP answer; `pieces` are sent one by one, `pause` seconds apart; `cut` drops the connection."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: tuple[bytes, ...] = (b"{}",)
    pause: float = 0.0
    cut: bool = False


@dataclass(frozen=True)
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass
class FakeGateway:
    """Answers every route of the client; `script` is used up first, path by path."""

    seen: list[Seen] = field(default_factory=list)
    script: dict[str, list[Answer]] = field(default_factory=dict)
    closed: list[Answer] = field(default_factory=list)
    """Answers whose connection the client has let go."""

    def on(self, path: str, *answers: Answer) -> "FakeGateway":
        """Answer the next requests for a path so."""
        self.script.setdefault(path, []).extend(answers)
        return self

    def answer(self, seen: Seen) -> Answer:
        """The scripted answer, else the usual one."""
        self.seen.append(seen)
        if waiting := self.script.get(seen.path):
            return waiting.pop(0)
        return _usual(seen)

    def transport(self) -> httpx2.MockTransport:
        """For unit tests."""
        return httpx2.MockTransport(self._handle)

    def _handle(self, request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.content) if request.content else None
        query = dict(request.url.params)
        found = self.answer(Seen(request.method, request.url.path, query, dict(request.headers), body))
        return httpx2.Response(found.status, headers=_headers(found), stream=_Pieces(found, self.closed))


class _Pieces(httpx2.AsyncByteStream, httpx2.SyncByteStream):
    def __init__(self, answer: Answer, closed: list[Answer]) -> None:
        self._answer = answer
        self._closed = closed

    def close(self) -> None:
        self._closed.append(self._answer)

    async def aclose(self) -> None:
        self.close()

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._answer.pieces:
            time.sleep(self._answer.pause)
            yield piece
        if self._answer.cut:
            message = "peer closed the connection"
            raise httpx2.RemoteProtocolError(message)

    async def __aiter__(self):  # noqa: ANN204  # an async generator
        for piece in self:
            yield piece


def reply(body: Any, *, status: int = 200, **headers: str) -> Answer:
    """A JSON answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/json", **named}, (json.dumps(body).encode(),))


def error(status: int, code: str, message: str = "It did not work.", **extra: Any) -> Answer:
    """The native error body."""
    headers = {key: extra.pop(key) for key in list(extra) if key in {"retry_after", "x_should_retry"}}
    body = {
        "detail": message,
        "message": message,
        "error_code": code,
        "status_code": status,
        "request_id": "req_err",
        **extra,
    }
    return reply(body, status=status, x_request_id="req_err", **headers)


def execution(text: str = ANSWER, **changes: Any) -> dict[str, Any]:
    """The twelve keys of a good answer."""
    body = {
        "execution_id": "exec_1",
        "task_id": "task_1",
        "status": "completed",
        "result": {
            "result": text,
            "metadata": {
                "request_id": "req_1",
                "provider": "openai",
                "model": "gpt-5-mini",
                "cost_usd": "0.00123",
                "receipt_id": "rcpt_1",
                "balance_usd": "4.99877",
                "finish_reason": "stop",
            },
            "artifacts": ARTIFACTS,
            "confidence_score": None,
            "quantum_collapse_info": {},
        },
        "error": None,
        "created_at": "2026-11-23T08:00:00Z",
        "completed_at": "2026-11-23T08:00:01Z",
        "usage": {
            "tokens_used": 1230,
            "tokens_input": 1000,
            "tokens_output": 230,
            "provider_breakdown": {"openai": 1230},
            "cost_estimate": 0.00123,
            "execution_time": 1.0,
        },
        "execution_time": 1.0,
        "persona_routing": {},
        "monkey1_orchestration": {},
        "orchestration_execution": {},
    }
    return body | changes


def event(**keys: Any) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(keys).encode() + b"\n\n"


def events(text: str = ANSWER, *, ending: bytes | None = None, pause: float = 0.0, cut: bool = False) -> Answer:
    """A whole stream: start, routed, text word by word, complete."""
    words = [event(type="delta", data=word) for word in text.replace(" ", " \0").split("\0")]
    last = event(type="complete", data=execution(text)) if ending is None else ending
    opening = [
        event(type="start", data={"execution_id": "exec_1", "task_id": "task_1"}),
        b": keep-alive\n\n",
        event(
            type="progress", progress={"step": "answering", "metadata": {"provider": "openai", "model": "gpt-5-mini"}}
        ),
    ]
    headers = {"content-type": "text/event-stream; charset=utf-8", "x-request-id": "req_1"}
    return Answer(200, headers, (*opening, *words, last), pause, cut)


def _headers(answer: Answer) -> dict[str, str]:
    return {"x-request-id": "req_1", **answer.headers}


def _usual(seen: Seen) -> Answer:  # noqa: PLR0911  # one return a route
    path = seen.path.removesuffix("/")
    if path.startswith("/v1/") and not path.startswith("/v1/auth/") and seen.headers.get("authorization") is None:
        return error(401, "not_authenticated", "No key was sent.")
    if path == "/v1/execute":
        return reply(execution(), x_monkey_model="gpt-5-mini", x_monkey_provider="openai", x_monkey_cost="0.00123")
    if path == "/v1/execute/stream":
        return events()
    if path.startswith("/v1/billing/receipts/"):
        return error(404, "not_found", "There is no such receipt.")
    if path == "/v1/keys":
        return reply({**KEY_INFO, "key": KEY} if seen.method == "POST" else {"keys": [KEY_INFO], "count": 1})
    if path.startswith("/v1/keys/"):
        return reply({"message": "The key was revoked."})
    if path in _FIXED:
        return reply(_FIXED[path])
    return error(404, "not_found", f"There is no {path}.")


RECOVERY_CODES = ["aaaaaa-bbbbbb-cccccc-dddddd", "eeeeee-ffffff-gggggg-hhhhhh"]
_FIXED: dict[str, Any] = {
    "/health": {"status": "healthy", "version": "0.1.0", "timestamp": "now", "components": {"store": "healthy"}},
    "/v1/models": {"object": "list", "data": [MODEL], "models": {"openai": ["gpt-5-mini"]}, "count": 1},
    "/v1/providers": {
        "providers": {
            "openai": {
                "name": "openai",
                "type": "openai_chat",
                "initialized": True,
                "status": "active",
                "healthy": True,
                "models": 1,
            }
        },
        "count": 1,
        "status": "active",
    },
    "/v1/capabilities": {"features": []},
    "/v1/router/debug": {"debug_info": {"routing_decision": {"provider": "openai"}}},
    "/v1/billing/balance": {
        "balance_usd": "4.99877",
        "held_usd": "0.5",
        "available_usd": "4.49877",
        "currency": "USD",
        "spent_today_usd": "0.00123",
        "spent_month_usd": "1.5",
        "debt_usd": "0.00",
        "frozen": None,
        "top_up_url": "https://monkey.example/billing",
    },
    **USAGE,
    "/v1/quote": {
        "quote_id": "quote_1",
        "expires_at": "2026-11-23T09:00:00Z",
        "price_book": "b1",
        "expected_usd": "0.0012",
        "maximum_usd": "0.25",
        "route": "openai/gpt-5-mini",
        "routes": [
            {
                "provider": "openai",
                "model": "gpt-5-mini",
                "expected_usd": "0.0012",
                "maximum_usd": "0.25",
                "input_tokens": 1000,
                "expected_output_tokens": 500,
                "maximum_output_tokens": 4096,
                "price_row": "openai/gpt-5-mini",
            }
        ],
    },
    "/v1/feedback": {"message": "noted"},
    "/v1/auth/register": {"access_token": "jwt", "refresh_token": "r1", "user": USER},
    "/v1/auth/mfa": {"required": False, "totp": False, "passkeys": 0, "recovery_codes_left": 0, "verified": False},
    "/v1/auth/mfa/totp/enroll": {"secret": "JBSWY3DPEHPK3PXP", "otpauth_uri": "otpauth://totp/Monkey%20Coder:ada"},
    "/v1/auth/mfa/totp/confirm": {"recovery_codes": RECOVERY_CODES},
    "/v1/auth/mfa/totp": {"message": "The authenticator app is no factor any more."},
    "/v1/auth/mfa/recovery-codes": {"recovery_codes": RECOVERY_CODES},
    "/v1/auth/confirm": {"confirmation": "proof", "action": "factors", "expires_in": 300},
    "/v1/auth/mfa/verify": {"access_token": "jwt", "refresh_token": "r1", "user": USER, "api_key": KEY},
    "/v1/auth/device/authorize": {
        "device_code": "secret-device-code",
        "user_code": "BCDF-GHJK",
        "verification_uri": "http://gw/device",
        "verification_uri_complete": "http://gw/device?user_code=BCDF-GHJK",
        "expires_in": 600,
        "interval": 5,
    },
    "/v1/auth/device/token": GIVEN,
    "/v1/auth/authorize/token": GIVEN,
    "/v1/auth/login": {"access_token": "jwt", "refresh_token": "r1", "user": USER, "api_key": KEY},
    "/v1/auth/refresh": {"access_token": "jwt2", "refresh_token": "r2"},
    "/v1/auth/logout": {"message": "bye"},
    **IDENTITY,
    "/v1/auth/status": {"authenticated": True, "user": USER, "session_expires": None},
}


@contextmanager
def serving(gateway: FakeGateway, *, port: int = 0) -> Iterator[str]:
    """Serve on loopback while the block runs; gives the base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _any(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            raw = self.rfile.read(length)
            path, _, query = self.path.partition("?")
            pairs = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
            headers = {name.lower(): value for name, value in self.headers.items()}
            found = gateway.answer(Seen(self.command, path, pairs, headers, json.loads(raw) if raw else None))
            self.send_response(found.status)
            for name, value in _headers(found).items():
                self.send_header(name, value)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            try:
                for piece in found.pieces:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                    self.wfile.flush()
                    time.sleep(found.pause)
                if not found.cut:
                    self.wfile.write(b"0\r\n\r\n")
            except OSError:
                found = Answer(cut=True)
            self.close_connection = found.cut

        do_GET = do_POST = do_DELETE = _any  # noqa: N815  # the names http.server looks for

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _by_hand(port: int) -> None:
    gateway = FakeGateway()
    slow = events(ANSWER * 6, pause=0.08)
    with serving(gateway, port=port) as url:
        sys.stdout.write(f"{url} key {KEY}\n")
        while True:
            gateway.script["/v1/execute/stream"] = [slow]
            time.sleep(0.2)


if __name__ == "__main__":
    _by_hand(int(sys.argv[1]))
