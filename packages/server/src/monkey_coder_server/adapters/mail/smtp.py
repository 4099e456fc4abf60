"""SMTP, in a thread for each message."""

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import localtime, parseaddr
from typing import Literal

from monkey_coder_server.adapters.mail.delivery import Undeliverable
from monkey_coder_server.ports.mailer import Mail

PATIENCE = 20.0
"""Seconds for each answer of the server."""
_PERMANENT = 500
"""RFC 5321, section 4.2.1: codes from here on say that the same again will fail too."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed in. `starttls` and `implicit` check the server's certificate; `password` "" logs in not."""

    host: str
    port: int
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    user: str = ""
    password: str = ""


class Smtp:
    """`delivery.Delivery` by SMTP. `trust` None trusts the system's authorities."""

    def __init__(self, server: SmtpServer, sender: str, *, trust: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._sender = sender
        self._trust = trust

    async def deliver(self, mail: Mail, mail_id: str) -> None:
        """Hand one message to the server. Raises `Undeliverable`, `OSError`, `smtplib.SMTPException`."""
        await asyncio.to_thread(self._deliver, mail, mail_id)

    async def close(self) -> None:
        """Each message has a connection of its own: nothing is open."""

    def _deliver(self, mail: Mail, mail_id: str) -> None:
        message = written(mail, self._sender, mail_id)
        try:
            with self._connected() as connection:
                connection.send_message(message, to_addrs=[mail.to])
        except smtplib.SMTPRecipientsRefused as refused:
            raise _judged(min(code for code, _ in refused.recipients.values())) from None
        except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as refused:
            raise _judged(refused.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise Undeliverable("the mail server lacks what message or settings need: STARTTLS, AUTH, UTF-8") from None

    def _connected(self) -> smtplib.SMTP:
        server, trust = self._server, self._trust or ssl.create_default_context()
        connection: smtplib.SMTP
        if server.tls == "implicit":
            connection = smtplib.SMTP_SSL(server.host, server.port, timeout=PATIENCE, context=trust)
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=PATIENCE)
        try:
            if server.tls == "starttls":
                connection.starttls(context=trust)
            if server.password:
                connection.login(server.user, server.password)
        except BaseException:
            connection.close()
            raise
        return connection


def written(mail: Mail, sender: str, mail_id: str) -> EmailMessage:
    """The message with its headers, the text before the HTML (RFC 2046, section 5.1.4: the richest comes last)."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = localtime()
    message["Message-ID"] = f"<{mail_id}@{parseaddr(sender)[1].partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note shall answer
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _judged(code: int) -> Exception:
    said = f"the mail server refused with {code}"
    return Undeliverable(said) if code >= _PERMANENT else ConnectionError(said)
