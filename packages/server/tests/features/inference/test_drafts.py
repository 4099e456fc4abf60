"""What a request comes to if its process dies is noted before each call, and while its answer leaves."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest

from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.features.inference import drafts as noting
from monkey_coder_server.features.inference.drafts import LOOKED_AT_ONCE, STAKE, Rounds
from monkey_coder_server.ports.ledger import FailedRequest, Hold, Settlement
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway

MODEL = "openai/gpt-big"
CHEAP = "openai/gpt-small"
NEVER = 60.0


async def test_before_a_call_nobody_is_charged_and_the_prompts_cost_is_estimated() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    await gateway.ask(model=MODEL)
    ((draft,),) = gateway.books.drafts.values()
    assert isinstance(draft, FailedRequest)
    assert (draft.provider, draft.model, draft.usage.estimated) == ("openai", "gpt-big", True)
    assert draft.provider_cost == draft.bills[-1].cost > 0


async def test_each_call_of_a_failover_is_noted() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.error(500), wires.openai())
    await gateway.ask(model=MODEL)
    (drafts,) = gateway.books.drafts.values()
    assert [len(draft.attempts) for draft in drafts] == [0, 1]


@pytest.mark.parametrize(("kept", "durable"), [(False, 1), (True, 0)])
async def test_a_call_is_made_when_its_draft_is_kept_or_else_durable(kept: bool, durable: int) -> None:
    gateway = Gateway()
    gateway.books.kept_at_once = kept
    seen: list[tuple[int, int]] = []

    def calling() -> None:
        (drafts,) = gateway.books.drafts.values()
        seen.append((len(drafts), [kind for kind, _ in gateway.books.events].count("durable")))

    gateway.wire.before_send = calling
    gateway.wire.play("openai", wires.error(500), wires.openai())
    await gateway.ask(model=MODEL)
    assert seen == [(1, durable), (2, 2 * durable)]


async def test_a_stream_is_to_be_paid_for_before_its_first_byte_and_more_the_longer_it_goes_on() -> None:
    gateway = Gateway()
    script = wires.openai_stream("word " * 200, step=20, output=250)
    script.gap = 0.02
    gateway.wire.play("openai", script)
    await gateway.stream(model=MODEL)
    (drafts,) = gateway.books.drafts.values()
    first, *later = drafts[1:]
    assert isinstance(first, Settlement)
    assert first.usage.estimated
    outputs = [draft.usage.output for draft in (first, *later)]
    assert outputs == sorted(outputs)
    assert outputs[-1] > outputs[0]
    ((settlement, _),) = gateway.books.settled.values()
    assert all(isinstance(draft, Settlement) and draft.price <= settlement.price + 10_000_000 for draft in later)


async def test_the_draft_is_noted_before_anything_is_told_durable() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai_stream())
    await gateway.stream(model=MODEL)
    kinds = [kind for kind, _ in gateway.books.events]
    assert kinds.index("durable") < kinds.index("settle")
    (drafts,) = gateway.books.drafts.values()
    assert isinstance(drafts[0], FailedRequest)
    assert isinstance(drafts[1], Settlement)


async def streamed(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, *, longest: float, model: str = CHEAP
) -> Sequence[Settlement]:
    """What was noted of a stream of half a second from its first byte on, looked at each fiftieth of a second."""
    monkeypatch.setattr(noting, "EVERY", 0.02)
    monkeypatch.setattr(noting, "LONGEST", longest)
    script = wires.openai_stream("word " * 200, step=20, output=250)
    script.gap = 0.01
    gateway.wire.play("openai", script)
    await gateway.stream(model=model)
    (drafts,) = gateway.books.drafts.values()
    return [draft for draft in drafts if isinstance(draft, Settlement)]


async def test_of_a_cheap_stream_the_beginning_is_noted_and_no_more_as_long_as_it_is_worth_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, beginning = await streamed(Gateway(), monkeypatch, longest=NEVER)
    assert 0 == before.usage.output < beginning.usage.output


async def test_however_cheap_a_stream_is_more_of_it_is_noted_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    _, *noted = await streamed(Gateway(), monkeypatch, longest=0.1)
    assert len(noted) >= 2
    assert noted[-1].price - noted[0].price < STAKE


async def test_of_a_dear_stream_all_that_is_worth_something_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    _, *noted = await streamed(Gateway(), monkeypatch, longest=NEVER, model=MODEL)
    grown = [later.price - earlier.price for earlier, later in pairwise(noted)]
    assert len(grown) >= 2
    assert all(each >= STAKE for each in grown)


async def test_a_stream_whose_drafts_are_refused_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway()
    note = gateway.books.underway

    def underway(hold: Hold, draft: Settlement | FailedRequest) -> None:
        if isinstance(draft, Settlement) and draft.usage.output:
            raise Unavailable("The journal is closed.", retry_after=1.0)
        note(hold, draft)

    monkeypatch.setattr(gateway.books, "underway", underway)
    monkeypatch.setattr(noting, "EVERY", 0.02)
    script = wires.openai_stream("word " * 200, step=20, output=250)
    script.gap = 0.01
    gateway.wire.play("openai", script)
    answer = await gateway.stream(model=MODEL)
    assert answer.frames[-1]["error"]["code"] == "unavailable"
    assert 0 < len(answer.text) < len("word " * 200)
    assert not gateway.books.settled


class Stream:
    """Leaves its rounds when it was looked at so often; `beside` leaves them with it."""

    def __init__(self, rounds: Rounds, looks: int = 1, beside: "Stream | None" = None) -> None:
        self.rounds, self.looks, self.beside = rounds, looks, beside
        self.looked = 0
        rounds.join(self)

    def look(self) -> None:
        self.looked += 1
        if self.looked == self.looks:
            self.rounds.leave(self)
            if self.beside is not None:
                self.rounds.leave(self.beside)


async def test_rounds_look_at_each_stream_until_it_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noting, "EVERY", 0.01)
    rounds = Rounds()
    streams = [Stream(rounds, looks=1 + place % 2) for place in range(3 * LOOKED_AT_ONCE)]
    over = Stream(rounds)
    first = Stream(rounds, beside=over)
    rounds.leave(over)
    rounds.join(over)  # behind the one that takes it along
    await asyncio.sleep(0.1)
    assert [each.looked for each in streams] == [each.looks for each in streams]
    assert (first.looked, over.looked) == (1, 0)
    again = Stream(rounds)
    await asyncio.sleep(0.05)
    assert again.looked == 1
