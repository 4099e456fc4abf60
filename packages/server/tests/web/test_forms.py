"""Bodies that forms and OAuth clients send."""

import msgspec
import pytest

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.web.forms import FORM, form_fields, form_or_json
from monkey_coder_server.web.problem import UnsupportedMediaType
from packages.server.tests.web.asked import asked


class Wish(msgspec.Struct):
    """A body."""

    name: str
    count: int = 0


DECODER = msgspec.json.Decoder(Wish)


async def test_fields_are_read_as_browsers_send_them() -> None:
    request = asked("POST", "/x", body=b"a=1+2&b=%C3%A9&empty=", headers={"content-type": f"{FORM}; charset=UTF-8"})
    assert await form_fields(request) == {"a": "1 2", "b": "é", "empty": ""}


@pytest.mark.parametrize("body", [b"a=1&a=2", b"a=%ff", b"a=\xc3\xa9", b"&".join(b"f%d=1" % at for at in range(51))])
async def test_a_form_that_can_be_read_two_ways_or_none_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        await form_fields(asked("POST", "/x", body=body, headers={"content-type": FORM}))


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x", None])
async def test_another_kind_of_body_is_no_form(kind: str | None) -> None:
    with pytest.raises(UnsupportedMediaType):
        await form_fields(asked("POST", "/x", body=b"a=1", headers={"content-type": kind} if kind else {}))


async def test_a_program_may_send_a_form_or_json() -> None:
    form = asked("POST", "/x", body=b"name=a&count=3&more=1", headers={"content-type": FORM})
    assert await form_or_json(form, DECODER) == Wish("a", 3)
    assert await form_or_json(asked("POST", "/x", body=b'{"name": "a"}'), DECODER) == Wish("a")
    with pytest.raises(InvalidRequest, match="`name` is missing"):
        await form_or_json(asked("POST", "/x", body=b"count=3", headers={"content-type": FORM}), DECODER)
