"""The way out for mail, as the settings say."""

from monkey_coder_server.adapters.mail import Console, Nowhere, Outbox, Smtp, SmtpServer
from monkey_coder_server.adapters.mail.delivery import Delivery
from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.ports.clock import Ids
from monkey_coder_server.settings import MailSettings


def open_outbox(settings: MailSettings, ids: Ids) -> Outbox:
    """An outbox that sends; to be closed in the loop it was opened in."""
    outbox = Outbox(delivery_of(settings), new_id=lambda: ids.new("mail"))
    outbox.start()
    return outbox


def track_mail(metrics: Metrics, outbox: Outbox) -> None:
    """Show how mail fares."""
    figures, track = outbox.figures, metrics.track
    track("monkey_coder_mail_waiting", "Mails that wait to be sent.", lambda: float(outbox.waiting))
    track("monkey_coder_mail_sent", "Mails sent since the start.", lambda: float(figures.sent))
    track("monkey_coder_mail_failed", "Mails given up since the start.", lambda: float(figures.failed))
    track("monkey_coder_mail_dropped", "Mails for which there was no room.", lambda: float(figures.dropped))


def delivery_of(settings: MailSettings) -> Delivery:
    """One try by the way that is set."""
    password = settings.password.reveal() if settings.password is not None else ""
    if settings.way == "smtp":
        server = SmtpServer(settings.host, settings.port, settings.tls, settings.user, password)
        return Smtp(server, settings.sender)
    if settings.way == "api":
        from monkey_coder_server.adapters.mail.api import MailApi  # noqa: PLC0415 - its HTTP client is heavy

        return MailApi(settings.url, password, settings.sender)
    return Console() if settings.way == "console" else Nowhere()
