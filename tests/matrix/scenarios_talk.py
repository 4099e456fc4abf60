"""Plain talk: one answer, a stream, several turns, pictures, and answers in a given form."""

import base64
import json
import struct
import zlib
from typing import Any

from tests.matrix.cells import Cell, scenario, told
from tests.matrix.models import KEEPS_TO_A_SCHEMA, SEES
from tests.matrix.words import Options

AWKWARD = "naïve 日本語 🐒 «quoted» back\\slash a\u2028b"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "temperature": {"type": "integer"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["city", "temperature", "tags"],
    "additionalProperties": False,
}


def picture() -> str:
    """A small PNG, as base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + bytes((40, 90, 200)) * 8 for _ in range(8))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(data).decode()


@scenario("plain")
def plain(cell: Cell) -> None:
    text = f"{cell.mark}: {AWKWARD}"
    talk = cell.talk()
    talk.say(told(f"text='{text}'"))
    said = talk.ask()
    assert said.text == text
    assert "x-monkey-cost" in said.headers
    cell.check(said, "stop")


@scenario("streamed")
def streamed(cell: Cell) -> None:
    text = f"{cell.mark}: {AWKWARD} " * 20
    talk = cell.talk()
    talk.say(told(f"text='{text}' split=7"))
    said = talk.ask(stream=True)
    assert said.text == text
    assert said.pieces > 1
    cell.check(said, "stop")


@scenario("several turns")
def several_turns(cell: Cell) -> None:
    talk = cell.talk()
    system = Options(system=f"Answer shortly. {cell.mark} " + "Rules are rules. " * 300)
    for turn in range(3):
        talk.say(told(f"text='{cell.mark} answer {turn}'", f"Question {turn}?"))
        said = talk.ask(system, stream=turn == 1)
        assert said.text == f"{cell.mark} answer {turn}"
        cell.check(said, "stop")
        assert said.usage is not None
        assert said.usage.prompt > 1_200, "the instructions were lost"


@scenario("a picture")
def a_picture(cell: Cell) -> None:
    talk = cell.talk(SEES)
    talk.say(told(f"text='{cell.mark} is blue'"), [picture()])
    said = talk.ask()
    assert said.text == f"{cell.mark} is blue"
    cell.check(said, "stop")
    assert picture() in cell.received(), "the picture was lost"


def _structured(cell: Cell, *, stream: bool) -> None:
    """The simulators make an instance of the schema they were sent; one told in words answers any JSON."""
    talk = cell.talk(KEEPS_TO_A_SCHEMA)
    talk.say(told("chunk=5", f"The weather of {cell.mark}, as JSON."))
    said = talk.ask(Options(schema=SCHEMA), stream=stream)
    answer = json.loads(said.text)
    assert isinstance(answer, dict)
    cell.check(said, "stop")
    if cell.limit is not None:
        assert '"temperature"' in json.loads(cell.received())["messages"][-1]["content"]
        return
    assert set(answer) == set(SCHEMA["required"])
    assert isinstance(answer["temperature"], int)
    assert all(isinstance(tag, str) for tag in answer["tags"])


@scenario("structured output")
def structured(cell: Cell) -> None:
    _structured(cell, stream=False)


@scenario("structured output, streamed")
def structured_streamed(cell: Cell) -> None:
    _structured(cell, stream=True)
