"""What is kept for repeats is bounded: in bytes, in number, in time."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.errors import GatewayError, Unavailable
from monkey_coder_server.domain.stream_events import Frame, ServerItem, TextDelta
from monkey_coder_server.features.inference import repeats
from monkey_coder_server.features.inference.job import Outcome, Settled
from monkey_coder_server.features.inference.kept import Listener
from monkey_coder_server.features.inference.repeats import Place, Repeats, place_of
from monkey_coder_server.features.inference.running import BUFFERED_EVENTS, Opening, Run
from monkey_coder_server.ports.front import Envelope

SESSION = Envelope(headers={"session-id": "s"}, query={})
OPENING = Opening("openai", "gpt", relayed=True)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
bodies = st.dictionaries(st.text(max_size=8), json_values, max_size=5)


def place(number: int = 0) -> Place:
    return Place("key", "chat", "", "session", b"%d" % number)


def settled(body: bytes = b"", finish: str | None = "stop") -> Any:
    """As much of a settlement as is looked at."""
    route = SimpleNamespace(provider=SimpleNamespace(name="openai"), card=SimpleNamespace(model="gpt"))
    answer = SimpleNamespace(finish=finish)
    served = SimpleNamespace(answer=answer, body=body, events=(TextDelta("hi"),), route=route, dropped=())
    return Settled(served, None, body)  # type: ignore[arg-type] - see above


def run() -> Run[Outcome]:
    return Run[Outcome]()


async def say(one: Run[Outcome], *texts: str) -> None:
    one.open(OPENING)
    for text in texts:
        await one.push([Frame("", text)])


@given(bodies, st.booleans())
def test_the_order_of_fields_and_the_wish_to_stream_make_no_difference(body: dict[str, Any], stream: bool) -> None:
    first = place_of("key", "chat", SESSION, json.dumps(body).encode())
    turned = dict(reversed(list({**body, "stream": stream, "stream_options": {"x": 1}}.items())))
    stripped = {name: value for name, value in body.items() if name not in {"stream", "stream_options"}}
    assert place_of("key", "chat", SESSION, json.dumps(turned).encode()) == first
    assert place_of("key", "chat", SESSION, json.dumps(stripped).encode()) == first


@given(bodies, bodies)
def test_different_bodies_have_different_places(one: dict[str, Any], other: dict[str, Any]) -> None:
    written = [json.dumps(body, sort_keys=True).encode() for body in (one, other)]
    places = {place_of("key", "chat", SESSION, body) for body in written}
    apart = {
        json.dumps({k: v for k, v in body.items() if k not in repeats.APART}, sort_keys=True) for body in (one, other)
    }
    assert len(places) == len(apart)


def test_keys_dialects_models_and_sessions_are_kept_apart() -> None:
    other = Envelope(headers={"session-id": "t"}, query={})
    model = Envelope(headers={"session-id": "s"}, query={}, path_model="m")
    found = {
        place_of("key", "chat", SESSION, b"{}"),
        place_of("key2", "chat", SESSION, b"{}"),
        place_of("key", "messages", SESSION, b"{}"),
        place_of("key", "chat", other, b"{}"),
        place_of("key", "chat", model, b"{}"),
    }
    assert len(found) == 5


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"prompt_cache_key":null}', b'{"prompt_cache_key"'])
def test_without_a_session_or_a_readable_body_there_is_no_place(body: bytes) -> None:
    assert place_of("key", "chat", Envelope(headers={"session-id": ""}, query={}), body) is None


async def test_an_answer_is_forgotten_a_while_after_its_end() -> None:
    kept, one = Repeats(seconds=0.01), run()
    kept.keep(place(), one, stream=True, body_bytes=100)
    await say(one, "hello")
    await asyncio.sleep(0.03)
    assert len(kept) == 1, "while it is being served it is kept"
    one.end(settled())
    assert kept.find(place(), stream=True, retry=False) is not None
    await asyncio.sleep(0.03)
    assert (len(kept), kept.room.used) == (0, 0)


@pytest.mark.parametrize("outcome", [GatewayError("no"), settled(finish=None)], ids=["failed", "unfinished"])
async def test_what_came_to_nothing_is_forgotten_at_once(outcome: Any) -> None:
    kept, one = Repeats(), run()
    kept.keep(place(), one, stream=True, body_bytes=100)
    one.end(outcome)
    assert kept.find(place(), stream=True, retry=True) is None
    await asyncio.sleep(0.01)
    assert (len(kept), kept.room.used) == (0, 0)


async def test_an_answer_that_grows_too_long_is_let_go_of() -> None:
    kept, one = Repeats(longest=10_000), run()
    entry = kept.keep(place(), one, stream=True, body_bytes=100)
    assert entry is not None
    listener = Listener(entry)
    await say(one, "x" * 5_000)
    assert len(await listener.take(1)) == 1
    await one.push([Frame("", "x" * 5_000)])
    assert kept.room.used == 0
    assert kept.find(place(), stream=True, retry=True) is None
    with pytest.raises(Unavailable, match="too long to be given twice"):
        await listener.take(1)


async def test_a_whole_answer_that_is_too_long_is_let_go_of() -> None:
    kept, one = Repeats(longest=10_000), run()
    kept.keep(place(), one, stream=False, body_bytes=100)
    one.end(settled(b"x" * 10_000))
    assert kept.find(place(), stream=False, retry=True) is None
    assert kept.room.used == 0


async def test_a_request_that_is_too_large_is_not_kept_at_all() -> None:
    kept = Repeats(longest=10_000)
    assert kept.keep(place(), run(), stream=True, body_bytes=2_501) is None
    assert (len(kept), kept.room.used) == (0, 0)


async def test_all_answers_together_stay_within_their_room() -> None:
    kept, runs = Repeats(most_bytes=100_000, longest=50_000), []
    for number in range(100):
        one = run()
        runs.append(one)
        kept.keep(place(number), one, stream=True, body_bytes=500)
        await say(one, *["x" * 1_000] * (number % 40))
        assert kept.room.used <= 100_000
        if number % 3:
            one.end(settled())
    assert 0 < len(kept) <= 50


async def test_so_many_answers_are_kept_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "MOST_KEPT", 3)
    kept = Repeats()
    first = run()
    kept.keep(place(0), first, stream=True, body_bytes=1)
    first.end(settled())
    for number in range(1, 4):
        assert kept.keep(place(number), run(), stream=True, body_bytes=1) is not None
    assert kept.find(place(0), stream=True, retry=True) is None, "the oldest that is over goes first"
    assert kept.keep(place(4), run(), stream=True, body_bytes=1) is None, "all of them are being served"
    assert len(kept) == 3


async def test_a_long_event_weighs_what_it_takes() -> None:
    kept, one = Repeats(longest=10_000), run()
    kept.keep(place(), one, stream=True, body_bytes=1)
    one.open(OPENING)
    await one.push([ServerItem("search", {"found": "x" * 20_000})])
    assert kept.find(place(), stream=True, retry=True) is None


async def test_a_listener_waits_for_the_opening_the_events_and_the_end() -> None:
    kept, one = Repeats(), run()
    entry = kept.keep(place(), one, stream=True, body_bytes=1)
    assert entry is not None
    listener = Listener(entry)
    assert await listener.opened(0.001) is None
    one.open(OPENING)
    assert await listener.opened(1) is OPENING
    assert await listener.take(0.001) == []
    await one.push([Frame("", "a")])
    assert await listener.take(1) == [Frame("", "a")]
    waiting = asyncio.create_task(listener.result())
    await asyncio.sleep(0)
    outcome = settled()
    one.end(outcome)
    assert await waiting is outcome
    assert (listener.ended, await listener.take(1)) == (True, [])


async def test_a_caller_whose_buffer_is_full_is_gone_once_somebody_else_reads() -> None:
    kept, one = Repeats(), Run[Outcome](stall=3_600)
    entry = kept.keep(place(), one, stream=True, body_bytes=1)
    assert entry is not None
    pushing = asyncio.create_task(say(one, *["x"] * (BUFFERED_EVENTS + 9)))
    await asyncio.sleep(0.01)
    assert not pushing.done()
    listener = Listener(entry)
    await asyncio.wait_for(pushing, 1)
    assert one.client_gone
    assert not one.deserted
    assert len(await listener.take(1)) == BUFFERED_EVENTS + 9
    listener.leave()
    listener.leave()
    assert one.deserted
