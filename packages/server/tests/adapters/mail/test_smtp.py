"""SMTP against a real server: plain, STARTTLS, TLS from the start, logged in, refused."""

import asyncio
import datetime as dt
import email
import email.policy
import ipaddress
import smtplib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from monkey_coder_server.adapters.mail import Smtp, SmtpServer
from monkey_coder_server.adapters.mail.delivery import Undeliverable
from monkey_coder_server.ports.mailer import Mail

pytestmark = [pytest.mark.system, pytest.mark.filterwarnings("ignore:Session.login_data:DeprecationWarning")]
SENDER = "Monkey Coder <no-reply@gateway.example>"
LETTER = Mail("ada@example.org", "Grüße", "Hello Ada\n", "<p>Hello Ada</p>\n")


class Mailbox:
    """What came in; `answer` is said to each recipient."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.answer = answer
        self.letters: list[email.message.EmailMessage] = []
        self.logged_in: list[bool] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, email.message.EmailMessage)
        self.letters.append(message)
        self.logged_in.append(bool(session.authenticated))
        return "250 OK"


@asynccontextmanager
async def serving(mailbox: Mailbox, *, implicit: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, loop=loop, **options), "127.0.0.1", 0, ssl=implicit)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context and that of a client which trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file: Path = tmp_path_factory.mktemp("tls") / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())


def known(_server: Any, _session: Any, _envelope: Any, _mechanism: str, secret: Any) -> AuthResult:
    right = isinstance(secret, LoginPassword) and (secret.login, secret.password) == (b"mailer", b"mail secret")
    return AuthResult(success=right, handled=False)


async def test_text_and_html_arrive_with_the_headers_of_a_machine() -> None:
    mailbox = Mailbox()
    async with serving(mailbox) as port:
        await Smtp(SmtpServer("127.0.0.1", port, "none"), SENDER).deliver(LETTER, "mail_1")
    (letter,) = mailbox.letters
    assert (letter["To"], letter["From"], letter["Subject"]) == ("ada@example.org", SENDER, "Grüße")
    assert (letter["Message-ID"], letter["Auto-Submitted"]) == ("<mail_1@gateway.example>", "auto-generated")
    kinds = [(part.get_content_type(), part.get_content().replace("\r\n", "\n")) for part in letter.iter_parts()]  # type: ignore[attr-defined] # parts are messages too
    assert kinds == [("text/plain", "Hello Ada\n"), ("text/html", "<p>Hello Ada</p>\n")]


async def test_starttls_and_log_in(certificate: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    theirs, ours = certificate
    mailbox = Mailbox()
    demands = {"tls_context": theirs, "require_starttls": True, "authenticator": known, "auth_required": True}
    async with serving(mailbox, **demands) as port:
        server = SmtpServer("127.0.0.1", port, "starttls", "mailer", "mail secret")
        await Smtp(server, SENDER, trust=ours).deliver(LETTER, "mail_1")
        with pytest.raises(smtplib.SMTPAuthenticationError):
            await Smtp(SmtpServer("127.0.0.1", port, "starttls", "mailer", "wrong"), SENDER, trust=ours).deliver(
                LETTER, "mail_2"
            )
        with pytest.raises(ssl.SSLCertVerificationError):
            await Smtp(server, SENDER).deliver(LETTER, "mail_3")
    assert (len(mailbox.letters), mailbox.logged_in) == (1, [True])


async def test_tls_from_the_start(certificate: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    theirs, ours = certificate
    mailbox = Mailbox()
    async with serving(mailbox, implicit=theirs) as port:
        await Smtp(SmtpServer("127.0.0.1", port, "implicit"), SENDER, trust=ours).deliver(LETTER, "mail_1")
    assert len(mailbox.letters) == 1


async def test_a_server_without_starttls_gets_nothing() -> None:
    mailbox = Mailbox()
    async with serving(mailbox) as port:
        with pytest.raises(Undeliverable, match="STARTTLS"):
            await Smtp(SmtpServer("127.0.0.1", port, "starttls"), SENDER).deliver(LETTER, "mail_1")
    assert not mailbox.letters


@pytest.mark.parametrize(
    ("answer", "expected"), [("550 no such mailbox", Undeliverable), ("451 later", ConnectionError)]
)
async def test_a_refusal_is_for_good_or_for_later_and_names_nobody(answer: str, expected: type[Exception]) -> None:
    async with serving(Mailbox(answer)) as port:
        with pytest.raises(expected) as refused:
            await Smtp(SmtpServer("127.0.0.1", port, "none"), SENDER).deliver(LETTER, "mail_1")
    assert "ada" not in str(refused.value)


async def test_nobody_there_is_trouble_for_later() -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(smtplib.SMTPServerDisconnected):
            await Smtp(SmtpServer("127.0.0.1", port, "none"), SENDER).deliver(LETTER, "mail_1")
