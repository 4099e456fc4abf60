"""What is compared: stacks between clients and one provider, started as their makers say, with a single worker."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import load
from benchmarks.speed.programs import Program, started
from benchmarks.speed.upstream import LATER
from tools.processes import BIN, environment_of, free_port

ROOT = Path(__file__).parents[2]
MODEL = "gpt-4.1-mini"
_CREATE_USER = ("admin", "create-user", "--email", "bench@example.com", "--credit", "100000", "--json")
SECRET = "sk-bench"  # noqa: S105 - of a simulated provider


@dataclass(frozen=True, slots=True)
class Place:
    """Where stacks run: the provider's port, a folder, where rivals are, and the cores of what is measured.

    `apart`: nothing else of the comparison runs on these.
    """

    upstream: int
    cores: frozenset[int]
    apart: bool
    folder: Path
    rivals: Path


@contextmanager
def provider(folder: Path, rivals: Path) -> Iterator[Place]:
    """Run the provider. What is measured gets the last core, clients and provider the others; one core is shared."""
    usable = sorted(os.sched_getaffinity(0))
    own, others = frozenset(usable[-1:]), frozenset(usable[:-1] or usable)
    os.sched_setaffinity(0, others)
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.speed.upstream", str(port)]
    with started(command, {}, f"http://127.0.0.1:{port}/", cores=others, folder=ROOT):
        yield Place(port, own, apart=not own & others, folder=folder, rivals=rivals)


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack: its program (none for the direct call), and how it is asked."""

    name: str
    port: int
    program: Program | None
    headers: Mapping[str, str]
    model: str = MODEL
    _made: dict[tuple[bool, int, bool], tuple[bytes, bytes]] = field(default_factory=dict)

    def request(self, number: int, *, stream: bool, prompt_bytes: int, later: bool = False) -> bytes:
        """The n-th request; no two are the same, so that no cache or guard can answer for the provider."""
        head, tail = self._parts(stream=stream, prompt_bytes=prompt_bytes, later=later)
        return b"%b%09d%b" % (head, number, tail)

    def _parts(self, *, stream: bool, prompt_bytes: int, later: bool) -> tuple[bytes, bytes]:
        parts = self._made.get((stream, prompt_bytes, later))
        if parts is None:
            prompt = ("Write a Python function that returns the n-th Fibonacci number. " * 4_000)[:prompt_bytes]
            messages = [{"role": "user", "content": f"{LATER if later else '#'}000000000# {prompt}"}]
            body = {"model": self.model, "messages": messages, "max_completion_tokens": 1024, "stream": stream}
            if stream:
                body["stream_options"] = {"include_usage": True}
            path = "/v1/chat/completions"
            whole = load.http_post(f"127.0.0.1:{self.port}", path, dict(self.headers), json.dumps(body).encode())
            head, _, tail = whole.partition(b"000000000")
            parts = self._made[stream, prompt_bytes, later] = head, tail
        return parts


def _bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


@contextmanager
def direct(place: Place) -> Iterator[Stack]:
    """The provider itself."""
    yield Stack("direct", place.upstream, None, _bearer(SECRET))


@contextmanager
def ours(place: Place) -> Iterator[Stack]:
    """The gateway as it is by default: keys, limits, holds, strict journal, receipts."""
    port, metrics, data = free_port(), free_port(), place.folder / "gateway"
    base_url = f"http://127.0.0.1:{place.upstream}/v1"
    environment = {
        "DATA_DIR": str(data),
        "OPENAI_API_KEY": SECRET,
        "OPENAI_BASE_URL": base_url,
        "RATE_LIMIT_PER_MINUTE": "100000000",
    }
    data.mkdir()
    made = subprocess.run(
        [str(BIN / "monkey-server"), *_CREATE_USER],
        env=environment_of(environment),
        cwd=place.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    key: str = json.loads(made.stdout)["api_key"]
    command = [str(BIN / "monkey-server"), "serve", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--metrics-port", str(metrics)]
    ready = f"http://127.0.0.1:{port}/health/ready"
    with started(command, environment, ready, cores=place.cores, folder=place.folder) as program:
        yield Stack("Monkey Coder", port, program, _bearer(key), f"openai/{MODEL}")


_KEPT = 'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;'
_NGINX = """\
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{
    access_log off; client_max_body_size 64m; client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy; fastcgi_temp_path {folder}/nginx-f; uwsgi_temp_path {folder}/nginx-u;
    scgi_temp_path {folder}/nginx-s; client_body_buffer_size 512k; keepalive_requests 1000000000;
    upstream provider {{ server 127.0.0.1:{upstream}; keepalive 600; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://{provider}; {more}
        }}
    }}
}}
"""


@contextmanager
def nginx(place: Place) -> Iterator[Stack]:
    """`proxy_pass` and nothing else said: a connection to the provider for each request. Nothing is logged."""
    with _nginx(place, "nginx proxy_pass", f"127.0.0.1:{place.upstream}", "") as stack:
        yield stack


@contextmanager
def nginx_kept(place: Place) -> Iterator[Stack]:
    """`proxy_pass` tuned: connections to the provider are kept, nothing is buffered."""
    with _nginx(place, "nginx, tuned", "provider", _KEPT) as stack:
        yield stack


@contextmanager
def _nginx(place: Place, name: str, provider: str, more: str) -> Iterator[Stack]:
    port = free_port()
    folder = place.folder / f"nginx{port}"
    folder.mkdir()
    written = folder / "nginx.conf"
    filled = _NGINX.format(folder=folder, upstream=place.upstream, port=port, provider=provider, more=more)
    written.write_text(filled, encoding="utf-8")
    command = [_found("nginx"), "-c", str(written), "-p", str(folder)]
    ready = f"http://127.0.0.1:{port}/"
    with started(command, {}, ready, cores=place.cores, folder=folder) as program:
        yield Stack(name, port, program, _bearer(SECRET))


@contextmanager
def litellm(place: Place) -> Iterator[Stack]:
    """LiteLLM's proxy with a master key: no database, no budgets, nothing logged."""
    port = free_port()
    base_url = f"http://127.0.0.1:{place.upstream}/v1"
    settings = {
        "model_list": [
            {
                "model_name": MODEL,
                "litellm_params": {"model": f"openai/{MODEL}", "api_key": SECRET, "api_base": base_url},
            }
        ],
        "general_settings": {"master_key": SECRET},
    }
    written = place.folder / "litellm.yaml"
    written.write_text(json.dumps(settings), encoding="utf-8")
    command = [str(place.rivals / "litellm/bin/litellm"), "--config", str(written), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--num_workers", "1", "--telemetry", "False"]
    quiet = {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    ready = f"http://127.0.0.1:{port}/health/liveliness"
    with started(command, quiet, ready, cores=place.cores, folder=place.folder) as program:
        yield Stack("LiteLLM", port, program, _bearer(SECRET))


@contextmanager
def portkey(place: Place) -> Iterator[Stack]:
    """Portkey's open gateway on Node.js: it passes the caller's provider key on, and keeps no books."""
    port = free_port()
    program_file = place.rivals / "portkey/node_modules/@portkey-ai/gateway/build/start-server.js"
    command = [_found("node"), str(program_file), f"--port={port}", "--headless"]
    headers = {
        **_bearer(SECRET),
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": f"http://127.0.0.1:{place.upstream}/v1",
    }
    allowed = {"TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}
    ready = f"http://127.0.0.1:{port}/"
    with started(command, allowed, ready, cores=place.cores, folder=place.folder) as program:
        yield Stack("Portkey", port, program, headers)


def _found(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        message = f"{program} is not installed"
        raise LookupError(message)
    return found


STACKS: Mapping[str, Callable[[Place], AbstractContextManager[Stack]]] = {
    "direct": direct,
    "nginx": nginx,
    "nginx_kept": nginx_kept,
    "ours": ours,
    "portkey": portkey,
    "litellm": litellm,
}
