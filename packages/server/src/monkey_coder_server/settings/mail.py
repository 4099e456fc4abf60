"""How mail leaves: `MAIL_URL` and `MAIL_FROM`."""

from dataclasses import dataclass
from email.utils import parseaddr
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from monkey_coder_server.settings.faults import Secret, SettingsError, wrong

_ALLOWED = (
    "smtp://USER:PASSWORD@HOST:587 (STARTTLS), smtps://USER:PASSWORD@HOST:465 or https://KEY@HOST/PATH of a mail API"
)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_DEFAULT_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailSettings:
    """`way` is how mail leaves; `off`: it does not. `tls` is of SMTP. `url` is of a mail API, without its key.

    `password` is SMTP's, or the key of a mail API. `sender` may hold a name beside the address.
    """

    way: Literal["smtp", "api", "console", "off"]
    sender: str
    host: str = ""
    port: int = 0
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str = ""
    password: Secret | None = None
    url: str = ""

    def __str__(self) -> str:
        where = self.url or (f"{self.host}:{self.port}, TLS {self.tls}" if self.host else "")
        return f"{self.way} {where}".rstrip() + f", from {self.sender}"


def read_mail(url: Secret, sender: str, *, production: bool, base_url: str) -> MailSettings:
    """The settings of two variables, empty where they are not set. Raises `SettingsError`, without the URL in it."""
    sender = _sender(sender or f"Monkey Coder <no-reply@{urlsplit(base_url).hostname}>")
    if not url.reveal():
        return MailSettings("off" if production else "console", sender)
    try:
        parts = urlsplit(url.reveal())
        port, host = parts.port, parts.hostname or ""
    except ValueError as unreadable:
        raise _refused() from unreadable
    if not host or parts.fragment or parts.query:
        raise _refused()
    if parts.scheme in _DEFAULT_PORTS and parts.path in {"", "/"}:
        return _smtp(parts, host, port or _DEFAULT_PORTS[parts.scheme], sender=sender)
    if parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK):
        return _api(parts, sender)
    raise _refused()


def _smtp(parts: SplitResult, host: str, port: int, *, sender: str) -> MailSettings:
    if (parts.username is None) != (parts.password is None):
        raise _refused()
    tls: Literal["starttls", "implicit", "none"] = "implicit" if parts.scheme == "smtps" else "starttls"
    if tls == "starttls" and host in _LOOPBACK:  # what never leaves the machine needs no certificate
        tls = "none"
    return MailSettings(
        "smtp",
        sender,
        host=host,
        port=port,
        tls=tls,
        user=unquote(parts.username or ""),
        password=Secret(unquote(parts.password)) if parts.password else None,
    )


def _api(parts: SplitResult, sender: str) -> MailSettings:
    key = unquote(parts.password or parts.username or "")
    if not key or not key.isascii() or not key.isprintable():
        raise _refused()
    url = parts._replace(netloc=parts.netloc.rpartition("@")[2], path=parts.path or "/emails").geturl()
    return MailSettings("api", sender, password=Secret(key), url=url)


def _sender(text: str) -> str:
    _, address = parseaddr(text)
    name, at, host = address.partition("@")
    if not (name and at and host) or not text.isprintable():
        raise wrong("MAIL_FROM", text, "an address like Monkey Coder <no-reply@example.com>")
    return text


def _refused() -> SettingsError:
    message = f"MAIL_URL cannot be read; it must be {_ALLOWED}."
    return SettingsError(message)
