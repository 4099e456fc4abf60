"""The mail API's wire, against a server that answers as it is told to."""

from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monkey_coder_server.adapters.mail.api import MailApi
from monkey_coder_server.adapters.mail.delivery import Undeliverable
from monkey_coder_server.ports.mailer import Mail

pytestmark = pytest.mark.system
SENDER = "Monkey Coder <no-reply@gateway.example>"
LETTER = Mail("ada@example.org", "Hello", "Hello Ada", "<p>Hello Ada</p>")


class Resend:
    """Notes what is posted and answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.posted: list[tuple[Mapping[str, str], object]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.posted.append((request.headers, await request.json()))
        return web.json_response({"id": "1"}, status=self.status, headers={"location": "/elsewhere"})


@pytest.fixture
async def there() -> AsyncIterator[Resend]:
    resend = Resend()
    application = web.Application()
    application.router.add_post("/emails", resend.answer)
    async with TestServer(application) as server:
        resend.url = str(server.make_url("/emails"))
        yield resend


async def test_one_post_carries_the_message_the_key_and_its_id(there: Resend) -> None:
    api = MailApi(there.url, "re_secret", SENDER)
    await api.deliver(LETTER, "mail_1")
    await api.close()
    ((headers, body),) = there.posted
    assert body == {
        "from": SENDER,
        "to": ["ada@example.org"],
        "subject": "Hello",
        "text": "Hello Ada",
        "html": "<p>Hello Ada</p>",
    }
    assert (headers["Authorization"], headers["Idempotency-Key"]) == ("Bearer re_secret", "mail_1")
    assert headers["User-Agent"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [(429, ConnectionError), (500, ConnectionError), (422, Undeliverable), (403, Undeliverable), (302, Undeliverable)],
)
async def test_what_may_pass_is_for_later_and_the_rest_for_good(
    there: Resend, status: int, expected: type[Exception]
) -> None:
    there.status = status
    api = MailApi(there.url, "re_secret", SENDER)
    with pytest.raises(expected, match=str(status)):
        await api.deliver(LETTER, "mail_1")
    await api.close()
    assert len(there.posted) == 1
