from monkey_coder_server.features.accounts.letters import Letter, Letters, Link
from monkey_coder_server.ports.mailer import Mail

LETTER = Letter(
    "Confirm <your> address",
    ("Somebody & you asked.", "Use it <b>soon</b>."),
    Link("Confirm the address", "/verify-email?token=abc&x=1"),
    ("If it was not you, do nothing.",),
)


class Postbox(list[Mail]):
    def post(self, mail: Mail) -> None:
        self.append(mail)


def test_a_letter_says_the_same_in_text_and_in_html_and_html_is_escaped() -> None:
    postbox = Postbox()
    Letters(postbox, "https://gateway.example").send("ada@example.org", LETTER)
    (mail,) = postbox
    assert (mail.to, mail.subject) == ("ada@example.org", LETTER.subject)
    assert mail.text == (
        "Somebody & you asked.\n\nUse it <b>soon</b>.\n\nConfirm the address:\n"
        "https://gateway.example/verify-email?token=abc&x=1\n\nIf it was not you, do nothing.\n\n"
        "-- \nMonkey Coder wrote this to ada@example.org.\n"
    )
    assert "<title>Confirm &lt;your&gt; address</title>" in mail.html
    assert 'href="https://gateway.example/verify-email?token=abc&amp;x=1"' in mail.html
    for paragraph in ("Somebody &amp; you asked.", "Use it &lt;b&gt;soon&lt;/b&gt;.", "If it was not you, do nothing."):
        assert f"<p>{paragraph}</p>" in mail.html


def test_a_letter_without_a_link_has_none() -> None:
    mail = Letters(Postbox(), "https://gateway.example").written("ada@example.org", Letter("News", ("All is well.",)))
    assert mail.text == "All is well.\n\n-- \nMonkey Coder wrote this to ada@example.org.\n"
    assert "href" not in mail.html
