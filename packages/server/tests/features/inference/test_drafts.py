"""What a request comes to if its process dies is noted before each call, and while its answer leaves."""

import pytest

from monkey_coder_server.features.inference.pipeline import PipelineSettings
from monkey_coder_server.ports.ledger import FailedRequest, Settlement
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway

MODEL = "openai/gpt-big"


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


@pytest.mark.parametrize(("noted_first", "durable"), [(True, 1), (False, 0)])
async def test_a_call_is_made_when_its_draft_is_durable(noted_first: bool, durable: int) -> None:
    gateway = Gateway(pipeline=PipelineSettings(noted_first=noted_first))
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
