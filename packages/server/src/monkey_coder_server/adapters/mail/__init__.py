"""Mail: by SMTP, by an HTTP API (`api`, which loads an HTTP client), or shown in the log."""

from monkey_coder_server.adapters.mail.console import Console, Nowhere
from monkey_coder_server.adapters.mail.outbox import Outbox
from monkey_coder_server.adapters.mail.smtp import Smtp, SmtpServer

__all__ = ["Console", "Nowhere", "Outbox", "Smtp", "SmtpServer"]
