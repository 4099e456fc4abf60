"""Raw HTTP as an outsider speaks it: bytes out, status, headers and bytes back; nothing of ours in between."""

import http.client
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

RESPONSE_KEYS = {
    "execution_id",
    "task_id",
    "status",
    "result",
    "error",
    "created_at",
    "completed_at",
    "usage",
    "execution_time",
    "persona_routing",
    "monkey1_orchestration",
    "orchestration_execution",
}
TASK = {"task_type": "code_generation", "prompt": "Create a function that adds two numbers", "model": "gpt-4.1-mini"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """The body as JSON."""
        return json.loads(self.raw)


@dataclass(frozen=True, slots=True)
class Outsider:
    """Speaks to one gateway with one key (none when empty)."""

    base_url: str
    key: str = ""

    def send(self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None) -> Answer:
        """One request. A body that is not bytes is sent as JSON; an empty header is left out."""
        connection = http.client.HTTPConnection(urlsplit(self.base_url).netloc, timeout=30)
        sent = dict(headers or {})
        if self.key and not {name.lower() for name in sent} & {"authorization", "x-api-key", "x-goog-api-key"}:
            sent["Authorization"] = f"Bearer {self.key}"
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, content, {name: value for name, value in sent.items() if value})
            reply = connection.getresponse()
            told = {name.lower(): value for name, value in reply.getheaders()}
            return Answer(reply.status, told, reply.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        """A GET; header names with `_` for `-`."""
        return self.send("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def post(self, path: str, body: object, *, headers: Mapping[str, str] | None = None) -> Answer:
        """A POST."""
        return self.send("POST", path, body, headers=headers)

    def task(self, path: str = "/v1/execute", **fields: Any) -> Answer:
        """A small task, with fields of its own over the defaults."""
        return self.post(path, {**TASK, **fields})


def newcomer(base_url: str) -> Outsider:
    """Somebody with an account of their own: nothing else runs on it."""
    account = {"email": f"{uuid.uuid4().hex}@example.com", "password": "several plain words together"}
    return Outsider(base_url, Outsider(base_url).post("/v1/auth/register", account).body["access_token"])


def events(raw: bytes) -> Iterator[dict[str, Any]]:
    """The events of a stream, each one `data: {json}` line and a blank one; comments are left out."""
    assert raw.endswith(b"\n\n")
    for frame in raw[:-2].split(b"\n\n"):
        if not frame.startswith(b":"):
            assert frame.startswith(b"data: {"), frame
            assert b"\n" not in frame
            yield json.loads(frame.removeprefix(b"data: "))
