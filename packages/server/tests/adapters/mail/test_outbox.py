import asyncio
import logging
from dataclasses import replace
from itertools import count

import pytest

from monkey_coder_server.adapters.mail import Console, Nowhere, Outbox
from monkey_coder_server.adapters.mail.delivery import Undeliverable
from monkey_coder_server.adapters.mail.outbox import OutboxFigures, OutboxOptions
from monkey_coder_server.ports.mailer import Mail

HELLO = Mail("ada@example.org", "Hello", "Hello Ada", "<p>Hello Ada</p>")
AT_ONCE = OutboxOptions(pauses=(0.0, 0.0))


class Postman:
    """Delivers after so many failures; notes each try."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.tries: list[str] = []
        self.closed = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def deliver(self, mail: Mail, mail_id: str) -> None:  # noqa: ARG002 - a seam's signature
        await self.gate.wait()
        self.tries.append(mail_id)
        if self.failures:
            raise self.failures.pop(0)

    async def close(self) -> None:
        self.closed = True


def opened(postman: Postman | Console | Nowhere, options: OutboxOptions = AT_ONCE) -> Outbox:
    numbers = count(1)
    outbox = Outbox(postman, new_id=lambda: f"mail_{next(numbers)}", options=options)
    outbox.start()
    return outbox


async def test_what_waits_is_sent_before_the_end() -> None:
    postman = Postman()
    outbox = opened(postman)
    for _ in range(20):
        outbox.post(HELLO)
    await outbox.close()
    assert sorted(postman.tries) == sorted(f"mail_{number}" for number in range(1, 21))
    assert outbox.figures == OutboxFigures(sent=20)
    assert postman.closed


async def test_trouble_is_tried_again_under_the_same_id_and_then_given_up() -> None:
    postman = Postman(OSError("ada@example.org"), TimeoutError())
    outbox = opened(postman)
    outbox.post(HELLO)
    await outbox.close()
    assert postman.tries == ["mail_1"] * 3
    assert outbox.figures == OutboxFigures(sent=1)
    hopeless = Postman(*[OSError()] * 3)
    outbox = opened(hopeless)
    outbox.post(HELLO)
    await outbox.close()
    assert (len(hopeless.tries), outbox.figures) == (3, OutboxFigures(failed=1))


async def test_what_is_refused_for_good_is_not_tried_again() -> None:
    postman = Postman(Undeliverable("no such mailbox"))
    outbox = opened(postman)
    outbox.post(HELLO)
    await outbox.close()
    assert (postman.tries, outbox.figures) == (["mail_1"], OutboxFigures(failed=1))


async def test_a_full_queue_drops_counts_and_names_nobody(caplog: pytest.LogCaptureFixture) -> None:
    postman = Postman(OSError("ada@example.org"))
    postman.gate.clear()
    outbox = opened(postman, OutboxOptions(room=2, at_once=1, pauses=(0.0,)))
    await asyncio.sleep(0)
    outbox.post(HELLO)
    await asyncio.sleep(0)
    for _ in range(4):
        outbox.post(HELLO)
    assert (outbox.figures.dropped, outbox.waiting) == (2, 2)
    postman.gate.set()
    await outbox.close()
    assert outbox.figures == OutboxFigures(sent=3, dropped=2)
    assert "a mail was dropped" in caplog.text
    assert "ada@" not in caplog.text


async def test_the_end_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    postman = Postman()
    postman.gate.clear()
    outbox = opened(postman, OutboxOptions(close_seconds=0.05))
    outbox.post(HELLO)
    await outbox.close()
    assert outbox.figures == OutboxFigures()
    assert "are lost" in caplog.text


async def test_in_development_the_log_shows_the_text(caplog: pytest.LogCaptureFixture) -> None:
    outbox = opened(Console())
    with caplog.at_level(logging.INFO):
        outbox.post(replace(HELLO, text="Hello Ada\n\nhttp://gateway/x?token=1\n"))
        await outbox.close()
    said = [record.getMessage() for record in caplog.records]
    assert said == ["mail_1 is for ada@example.org: Hello", "mail_1: Hello Ada", "mail_1: http://gateway/x?token=1"]
    assert outbox.figures == OutboxFigures(sent=1)


async def test_without_a_way_out_mail_counts_as_failed(caplog: pytest.LogCaptureFixture) -> None:
    outbox = opened(Nowhere())
    outbox.post(HELLO)
    await outbox.close()
    assert outbox.figures == OutboxFigures(failed=1)
    assert "MAIL_URL is not set" in caplog.text
    assert "ada@" not in caplog.text


@pytest.mark.parametrize("broken", ["a@b.example\r\nBcc: x@y.example", "a@b.example\nx", "a@b.example\u2028"])
def test_a_line_break_in_an_address_or_a_subject_is_refused(broken: str) -> None:
    with pytest.raises(ValueError, match="one line"):
        Mail(broken, "Hello", "", "")
    with pytest.raises(ValueError, match="one line"):
        Mail("ada@example.org", broken, "", "")
