"""Bodies and query values to structs, with one helpful sentence for whatever is wrong."""

import codecs
import re
from collections.abc import Iterator
from typing import TypeVar, get_args

import msgspec

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.web.problem import UnsupportedMediaType
from monkey_coder_server.web.request import Request

T = TypeVar("T")
_BYTE_ORDER_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_EXPECTED = re.compile(r"^Expected `(?P<wanted>[^`]+)`, got `(?P<given>[^`]+)`")
_BOUND = re.compile(r"^Expected `(?P<wanted>[^`]+)` (?P<bound>.+?)(?= - at|$)")
_MISSING = re.compile(r"^Object missing required field `(?P<field>[^`]+)`")
_CHOICE = re.compile(r"^Invalid (?:enum )?value (?P<value>.+?)(?= - at|$)")
_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_EACH = re.compile(r"\[(\.\.\.|\d+)\]$")
"""How msgspec names the items of a list."""
_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}


async def json_body(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """The body as the decoder's type. Raises `InvalidRequest`, `UnsupportedMediaType` and as `Request.body` does."""
    _check_media_type(request)
    return decode(await request.body(), decoder)


async def kept_json_body(request: Request, decoder: msgspec.json.Decoder[T]) -> T:
    """The same, and the body can be read again."""
    _check_media_type(request)
    return decode(await request.keep_body(), decoder)


def decode(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """JSON bytes as the decoder's type. Raises `InvalidRequest`."""
    if not body:
        raise InvalidRequest("The body is empty; send a JSON object.")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as wrong:
        raise InvalidRequest(explain(str(wrong), decoder.type)) from wrong
    except UnicodeDecodeError as wrong:
        raise InvalidRequest("The body is not valid UTF-8; send JSON encoded as UTF-8.") from wrong
    except msgspec.DecodeError as wrong:
        if body.startswith(_BYTE_ORDER_MARKS):
            raise InvalidRequest("The body begins with a byte order mark; send plain UTF-8 without one.") from wrong
        message = f"The body is not valid JSON ({_reason(str(wrong))}); send one JSON object."
        raise InvalidRequest(message) from wrong
    except RecursionError as wrong:
        raise InvalidRequest("The JSON is nested too deeply; send a flatter object.") from wrong


def explain(problem: str, wanted: object = None, *, what: str = "field") -> str:
    """A validation message of msgspec as a sentence that names the field. `wanted` is the type the body was to be.

    `what` is what a field is called.
    """
    path = _PATH.search(problem)
    where = path["path"] if path else ""
    subject = f"The {what} `{where}`" if where else "The body"
    if missing := _MISSING.match(problem):
        field = f"{where}.{missing['field']}" if where else missing["field"]
        return f"The {what} `{field}` is missing; it is required."
    if expected := _EXPECTED.match(problem):
        return f"{subject} must be {_kind(expected['wanted'])}, but {_kind(expected['given'])} was sent."
    if choice := _CHOICE.match(problem):
        known = _choices(wanted, where)
        hint = f"it must be one of {', '.join(known)}" if known else "see the API reference for the values it takes"
        return f"{subject} cannot be {choice['value']}; {hint}."
    if bound := _BOUND.match(problem):
        return f"{subject} must be {_kind(bound['wanted'])} {bound['bound']}."
    if problem.startswith("Number out of range"):
        return f"{subject} is a number beyond all bounds; send a smaller one."
    return f"{subject} is not right: {_PATH.sub('', problem)}."


def _choices(wanted: object, field: str) -> tuple[str, ...]:
    """The words a literal field of a struct takes."""
    if not (isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)):
        return ()
    name = _EACH.sub("", field)
    kinds = [each.type for each in msgspec.structs.fields(wanted) if each.encode_name == name]
    return tuple(word for kind in kinds for word in _words(kind))


def _words(kind: object) -> Iterator[str]:
    """The words of a literal, also within a list or behind an annotation."""
    for part in get_args(kind):
        if isinstance(part, str):
            yield part
        else:
            yield from _words(part)


def _kind(kinds: str) -> str:
    return " or ".join(_WORDS.get(kind, kind) for kind in kinds.split(" | "))


def _reason(problem: str) -> str:
    return problem.removeprefix("JSON is malformed: ").replace("Input data was truncated", "it breaks off")


def _check_media_type(request: Request) -> None:
    content_type = request.header("content-type")
    if content_type is not None and "json" not in content_type.lower():
        raise UnsupportedMediaType("The body must be JSON: send it with the header Content-Type: application/json.")
