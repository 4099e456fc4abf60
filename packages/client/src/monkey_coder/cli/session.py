"""What one run of `monkey` knows: flags, settings, and whether a person is watching."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from monkey_coder.cli import output
from monkey_coder.cli.exits import Exit
from monkey_coder.cli.failures import CommandFailed

if TYPE_CHECKING:
    import httpx2

    from monkey_coder import Client, RetryNotice
    from monkey_coder.settings import Settings


@dataclass(slots=True)
class Session:
    """Made once by `run`; every command gets it as its context's object."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    flags: dict[str, Any] = field(default_factory=dict)
    max_cost: Decimal | None = None
    http_client: "httpx2.Client | None" = None
    """Sends the requests; made when left out."""
    _settings: "Settings | None" = None
    _write_note: Callable[[str], None] = output.error_line

    def on(self, flag: str) -> bool:
        """Whether a switch such as `json` or `quiet` is on."""
        return bool(self.flags.get(flag))

    @property
    def timeout(self) -> float | None:
        """Seconds given with --timeout."""
        return self.flags.get("timeout")

    @property
    def may_ask(self) -> bool:
        """Whether a question would be read by a person."""
        return not (self.on("no_input") or self.on("json")) and sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def colours(self) -> bool:
        """Whether escape codes for colour may be written to a terminal."""
        return not (self.on("no_color") or self.environ.get("NO_COLOR") or self.environ.get("TERM") == "dumb")

    def lively(self, stream: Any) -> bool:
        """Whether moving parts (spinner, live text) may be drawn on this stream."""
        return bool(stream.isatty()) and not self.on("json") and self.environ.get("TERM") != "dumb"

    def settings(self) -> "Settings":
        """Flags, environment and files; read once."""
        if self._settings is None:
            from monkey_coder import config_file, settings  # noqa: PLC0415  # `--help` reads no files

            self._settings = settings.load({"baseUrl": self.flags.get("base_url")}, environ=self.environ)
            path = self._settings.user_path
            key = self._settings.found.get("apiKey")
            if path and key is not None and key.origin == "user" and config_file.readable_by_others(path):
                self.note(f"Warning: others on this computer can read {path}; run `chmod 600 {path}`.")
        return self._settings

    def client(
        self, *, key: str | None = None, needs_key: bool = True, timeout: float | None = None, for_task: bool = False
    ) -> "Client":
        """A client for this gateway; use it as a context manager.

        A task carries --timeout itself: the gateway keeps it and says so, a little before this side gives up.
        """
        from monkey_coder import Client, RetryPolicy  # noqa: PLC0415  # httpx2 only where something is sent

        found = self.settings()
        api_key = key or found.api_key
        if needs_key and not api_key:
            raise CommandFailed(
                Exit.NOT_AUTHENTICATED,
                "not_authenticated",
                message="You are not logged in.",
                hint="Run `monkey auth register` for an account, `monkey auth login` if you have one, "
                "or set MONKEY_CODER_API_KEY.",
            )
        return Client(
            api_key=api_key or "",
            base_url=found.base_url,
            timeout=timeout or (None if for_task else self.timeout),
            connect_timeout=2.0,
            retry=RetryPolicy(connect_budget=2.5),
            user_agent=_user_agent(),
            http_client=self.http_client,
            on_retry=self._tell_wait,
        )

    def emit(self, document: Any, *, text: Callable[[], str]) -> None:
        """The result of a command: one JSON document with --json, else the text."""
        if self.on("json"):
            output.document(document)
        else:
            output.line(text())

    def note(self, text: str) -> None:
        """One line on stderr, unless --quiet."""
        if not self.on("quiet"):
            self._write_note(text)

    @contextmanager
    def notes_to(self, write: Callable[[str], None]) -> Iterator[None]:
        """Let notes go elsewhere for a while, such as above something that moves."""
        before, self._write_note = self._write_note, write
        try:
            yield
        finally:
            self._write_note = before

    def _tell_wait(self, notice: "RetryNotice") -> None:
        self.note(f"{notice.error.message} Trying again in {notice.delay:.1f} s.")


def _user_agent() -> str:
    from monkey_coder_protocol.version import VERSION  # noqa: PLC0415  # beside its only use

    return f"monkey/{VERSION}"
