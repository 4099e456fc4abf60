"""Letters to people: what is said once becomes plain text and HTML."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from monkey_coder_server.ports.mailer import Mail, Mailer

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True, slots=True)
class Link:
    """A button: its words, and the path with query below the gateway's own address."""

    words: str
    path: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A subject, paragraphs, a link to follow and paragraphs below it; all plain text."""

    subject: str
    paragraphs: tuple[str, ...]
    link: Link | None = None
    closing: tuple[str, ...] = ()


class Letters:
    """Links lead to `base_url`, as the operator set it: what a request calls its host is never used."""

    def __init__(self, mailer: Mailer, base_url: str) -> None:
        self._mailer = mailer
        self._base_url = base_url

    def send(self, to: str, letter: Letter) -> None:
        """Write a letter and hand it to the mailer."""
        self.post(self.written(to, letter))

    def post(self, mail: Mail) -> None:
        """Hand a written letter to the mailer."""
        self._mailer.post(mail)

    def written(self, to: str, letter: Letter) -> Mail:
        """A letter as it is sent. Raises `ValueError` for a line break in the address or the subject."""
        values = {"letter": letter, "url": self._base_url + letter.link.path if letter.link else "", "to": to}
        text, html = (_templates(kind).get_template(f"letter.{kind}").render(values) for kind in ("txt", "html"))
        return Mail(to, letter.subject, text, html)


def moment(at: datetime) -> str:
    """A time as letters name it."""
    return f"{at:%Y-%m-%d at %H:%M} UTC"


@lru_cache(maxsize=2)
def _templates(kind: str) -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - most processes write no letter

    return Environment(
        loader=PackageLoader("monkey_coder_server.features.accounts"),
        autoescape=kind == "html",  # noqa: S701 - what becomes plain text has nothing to escape
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
