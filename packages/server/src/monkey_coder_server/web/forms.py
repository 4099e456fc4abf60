"""Bodies that HTML forms and OAuth clients send: `application/x-www-form-urlencoded`."""

from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.web.decode import explain, json_body
from monkey_coder_server.web.problem import UnsupportedMediaType
from monkey_coder_server.web.request import Request

T = TypeVar("T")
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 50


async def form_fields(request: Request) -> dict[str, str]:
    """The fields of a form, each sent once. Raises `InvalidRequest`, `UnsupportedMediaType`, and as the body does."""
    if not is_form(request):
        message = f"The body must be a form: send it with the header Content-Type: {FORM}."
        raise UnsupportedMediaType(message)
    try:
        pairs = parse_qsl(
            (await request.body()).decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError as wrong:
        raise InvalidRequest("The form cannot be read; send plain fields, percent-encoded UTF-8.") from wrong
    if len({name for name, _ in pairs}) < len(pairs):
        raise InvalidRequest("A field of the form came twice; send each once.")
    return dict(pairs)


async def form_or_json(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """The body as the decoder's type: as JSON, or as the form that RFC 6749 has clients send.

    Raises `InvalidRequest`, `UnsupportedMediaType`, and as the body does.
    """
    if not is_form(request):
        return await json_body(request, decoder)
    try:
        return msgspec.convert(await form_fields(request), decoder.type, strict=False)
    except msgspec.ValidationError as wrong:
        raise InvalidRequest(explain(str(wrong), decoder.type)) from wrong


def is_form(request: Request) -> bool:
    """Whether the body says that it is a form."""
    return (request.header("content-type") or "").partition(";")[0].strip().lower() == FORM
