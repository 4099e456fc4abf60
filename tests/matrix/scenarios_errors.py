"""Errors before anything was said: the dialect's status, its SDK's own class, and one sentence that helps."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.matrix.cells import Cell, Place, scenario, told
from tests.matrix.models import SMALL, WINDOWS
from tests.matrix.words import Conversation


def refused(cell: Cell, talk: Conversation, kind: str, *, stream: bool = False) -> Any:
    """Ask, and be refused in the dialect's way; the SDK's exception."""
    expected, status = cell.driver.errors[kind]
    with pytest.raises(expected) as raised:
        talk.ask(stream=stream)
    told_status = getattr(raised.value, "status_code", None) or getattr(raised.value, "code", None)
    assert told_status == status
    return raised.value


@scenario("unknown key")
def unknown_key(cell: Cell) -> None:
    driver = cell.stage.driver(cell.place.dialect, "mk-dev-nobodyknowsthiskeyatall00000000000")
    for stream in (False, True):
        talk = cell.talk(driver=driver)
        talk.say("Hello")
        refused(cell, talk, "bad key", stream=stream)
    driver.close()


@scenario("unknown model")
def unknown_model(cell: Cell) -> None:
    for stream in (False, True):
        talk = cell.driver.talk(f"{cell.provider}/no-such-model")
        talk.say("Hello")
        assert "no-such-model" in str(refused(cell, talk, "unknown model", stream=stream))


@scenario("no credit")
def no_credit(cell: Cell) -> None:
    driver = cell.stage.driver(cell.place.dialect, cell.stage.poor_key)
    for stream in (False, True):
        talk = cell.talk(driver=driver)
        talk.say("Hello")
        sentence = str(refused(cell, talk, "no credit", stream=stream))
        assert "/billing" in sentence
        assert "0.00" in sentence
    driver.close()


@scenario("prompt too long")
def prompt_too_long(cell: Cell) -> None:
    """Agents make their history shorter when they are told in the words they know."""
    talk = cell.talk(SMALL)
    talk.say(f"{cell.mark} word " * (WINDOWS[cell.place.column] * 4 // len(f"{cell.mark} word ") + 20_000))
    error = refused(cell, talk, "refused", stream=True)
    if cell.place.dialect == "messages":
        assert "prompt is too long" in str(error)
    elif cell.place.dialect != "gemini":
        assert error.code == "context_length_exceeded"


@scenario("provider limits the rate")
def rate_limited(cell: Cell) -> None:
    """All attempts are used up first."""
    for stream in (False, True):
        talk = cell.talk()
        talk.say(told(f"fault=429 retry_after=1 text='{cell.mark}'"))
        refused(cell, talk, "provider", stream=stream)


@scenario("provider fails")
def provider_fails(cell: Cell) -> None:
    for stream in (False, True):
        talk = cell.talk()
        talk.say(told(f"fault=500 text='{cell.mark}'"))
        refused(cell, talk, "provider", stream=stream)


@scenario("provider refuses the request")
def provider_refuses(cell: Cell) -> None:
    """Asking again would not help: agents repeat every error of the server, so it is told as the caller's."""
    for stream in (False, True):
        talk = cell.talk()
        talk.say(told(f"fault=400 message='{cell.mark} is not wanted'"))
        assert f"{cell.mark} is not wanted" in str(refused(cell, talk, "refused", stream=stream))


@scenario("kept back by a filter")
def filtered(cell: Cell) -> None:
    """A filter that lets no word through: asking again would not help, and nobody pays."""
    for stream in (False, True):
        talk = cell.talk()
        talk.say(told(f"fault=content_filter text='{cell.mark}' reasoning_tokens=0"))
        if cell.limit is not None:
            cell.check(talk.ask(stream=stream), "filter")
            continue
        assert "filter" in str(refused(cell, talk, "refused", stream=stream))


FAILS_ONCE = "provider fails once"


def failures(place: Place) -> Iterator[dict[str, Any]]:
    """The rules by which the simulators fail once for a whole answer of that place, and once for a stream."""
    for number in range(2):
        yield {"contains": f"{place.name} {number}", "fault": "503", "times": 1}


@scenario(FAILS_ONCE)
def provider_fails_once(cell: Cell) -> None:
    """One failure is nobody's business but ours: the caller gets the answer, charged once."""
    for number, stream in enumerate((False, True)):
        talk = cell.talk()
        talk.say(told(f"text='{cell.mark} after all'", f"{cell.mark} {number}"))
        said = talk.ask(stream=stream)
        assert said.text == f"{cell.mark} after all"
        cell.check(said, "stop")
        assert cell.stage.row(said.request_id).attempts == 2
