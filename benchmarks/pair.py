"""A gateway and the simulated providers it calls, as processes of their own."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks import load
from tools.processes import BIN, Process, free_port, server

MODEL = "gpt-4.1-mini"
PATHS = {
    "OPENAI": "/openai/v1",
    "ANTHROPIC": "/anthropic",
    "GOOGLE": "/google",
    "GROQ": "/groq/openai/v1",
    "XAI": "/xai/v1",
    "PERPLEXITY": "/perplexity",
    "MOONSHOT": "/moonshot/v1",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Both processes, the port of the gateway's metrics, and keys, each of an account with enough credit."""

    simulators: Process
    gateway: Process
    keys: Sequence[str]
    metrics_port: int

    @property
    def key(self) -> str:
        """That of the first account."""
        return self.keys[0]

    def direct(self, prompt: str, *, stream: bool = False) -> bytes:
        """A chat completion asked of the simulated provider itself."""
        body = {"model": MODEL, "messages": [{"role": "user", "content": prompt}], "max_completion_tokens": 1024}
        return load.http_post(
            f"127.0.0.1:{self.simulators.port}",
            "/openai/v1/chat/completions",
            {"Authorization": "Bearer sk-bench"},
            json.dumps(body | {"stream": stream}).encode(),
        )

    def through(
        self,
        prompt: str,
        *,
        stream: bool = False,
        model: str = f"openai/{MODEL}",
        max_tokens: int = 1024,
        key: str | None = None,
    ) -> bytes:
        """The same through `/v1/execute` or `/v1/execute/stream`, by the first account or with another's `key`."""
        body = {
            "task_type": "code_generation",
            "prompt": prompt,
            "model": model,
            "context": {"user_id": "bench", "max_tokens": max_tokens},
            "persona_config": {"persona": "developer"},
        }
        return load.http_post(
            f"127.0.0.1:{self.gateway.port}",
            "/v1/execute/stream" if stream else "/v1/execute",
            {"Authorization": f"Bearer {key or self.key}"},
            json.dumps(body).encode(),
        )


@contextmanager
def running(settings: Mapping[str, str] | None = None, *, keys: int = 1, through: Sequence[str] = ()) -> Iterator[Pair]:
    """Start both, with every provider configured and the log at its default level; stop them at the block's end.

    `settings` are more of what the gateway's operator sets, `keys` how many accounts there are. `through` names a
    module that runs the gateway in the place of its command, and what that takes before the command's own arguments.
    """
    upstream, front, metrics = free_port(), free_port(), free_port()
    with (
        tempfile.TemporaryDirectory() as data,
        server(["sandbox", "--port", str(upstream)], {}, upstream, "/__sandbox/tally", quiet=True) as simulators,
    ):
        environment = {"DATA_DIR": data, "RATE_LIMIT_PER_MINUTE": "100000000", **(settings or {})}
        for name, path in PATHS.items():
            environment |= {f"{name}_API_KEY": "sk-bench", f"{name}_BASE_URL": f"http://127.0.0.1:{upstream}{path}"}
        made = [_make_key(environment, number) for number in range(keys)]
        arguments = ["serve", "--host", "127.0.0.1", "--port", str(front), "--metrics-port", str(metrics)]
        with server(arguments, environment, front, "/health", quiet=True, through=through) as gateway:
            yield Pair(simulators, gateway, made, metrics)


def _make_key(environment: Mapping[str, str], number: int) -> str:
    wanted = ["--email", f"bench{number}@example.com", "--credit", "10000", "--json"]
    command = [str(BIN / "monkey-server"), "admin", "create-user", *wanted]
    kept = {"PATH": "/usr/bin:/bin"}
    made = subprocess.run(command, env={**environment, **kept}, capture_output=True, text=True, check=True)
    key: str = json.loads(made.stdout)["api_key"]
    return key
