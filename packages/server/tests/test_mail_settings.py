from pathlib import Path

import pytest

from monkey_coder_server.settings import MailSettings, Secret, SettingsError, load

STRONG = "kR7vQ2mX9bT4wZ6nL1pS8dF3gH5jC0aYeU-iO_q"
OTHER = "Zb4TqW9xN2mV7kL5pR1sD8fG3hJ6cA0yEu-iO_kP"
SENDER = "Monkey Coder <no-reply@localhost>"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("", MailSettings("console", SENDER)),
        (
            "smtp://me%40x:p%2Fw@mail.example",
            MailSettings("smtp", SENDER, "mail.example", 587, "starttls", "me@x", Secret("p/w")),
        ),
        (
            "smtps://me:pw@mail.example",
            MailSettings("smtp", SENDER, "mail.example", 465, "implicit", "me", Secret("pw")),
        ),
        ("smtp://127.0.0.1:2525", MailSettings("smtp", SENDER, "127.0.0.1", 2525, "none")),
        (
            "https://re_key@api.resend.com",
            MailSettings("api", SENDER, password=Secret("re_key"), url="https://api.resend.com/emails"),
        ),
        (
            "http://:k@localhost:9/mail",
            MailSettings("api", SENDER, password=Secret("k"), url="http://localhost:9/mail"),
        ),
    ],
)
def test_how_mail_leaves(tmp_path: Path, url: str, expected: MailSettings) -> None:
    assert load({"MAIL_URL": url}, folder=tmp_path).mail == expected


@pytest.mark.parametrize(
    "url",
    [
        "ftp://k@mail.example",
        "smtp://me@mail.example",
        "smtp://",
        "smtp://me:pw@mail.example/path",
        "smtp://me:pw@mail.example:99999",
        "https://api.example/emails",
        "http://k@api.example/emails",
        "https://k@api.example/emails?x=1",
        "https://k%0d%0a@api.example",
    ],
)
def test_a_way_that_cannot_be_read_is_refused_without_its_secret(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({"MAIL_URL": url}, folder=tmp_path)
    assert "MAIL_URL" in str(refused.value)
    assert url.removeprefix("smtp://") == "" or url not in str(refused.value)


@pytest.mark.parametrize("sender", ["nobody", "@example.com", "Me <a@b.example>\nBcc: x@y.example"])
def test_a_sender_that_is_no_address_is_refused(tmp_path: Path, sender: str) -> None:
    with pytest.raises(SettingsError, match="MAIL_FROM"):
        load({"MAIL_FROM": sender}, folder=tmp_path)


def test_production_without_a_way_out_for_mail_is_told_so(tmp_path: Path) -> None:
    settings = load(
        {
            "ENVIRONMENT": "production",
            "JWT_SECRET_KEY": STRONG,
            "KEY_PEPPER": OTHER,
            "BASE_URL": "https://gateway.example",
        },
        folder=tmp_path,
    )
    assert settings.mail == MailSettings("off", "Monkey Coder <no-reply@gateway.example>")
    assert any("MAIL_URL is not set" in notice for notice in settings.notices)


def test_the_secret_of_mail_does_not_show(tmp_path: Path) -> None:
    settings = load({"MAIL_URL": "smtps://me:canary@mail.example"}, folder=tmp_path)
    assert "canary" not in f"{settings!r} {settings.mail}"
    assert str(settings.mail) == f"smtp mail.example:465, TLS implicit, from {SENDER}"
    assert str(load({}, folder=tmp_path).mail) == f"console, from {SENDER}"
