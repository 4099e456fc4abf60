"""What is reckoned for answers that were given up: everything the model wrote, and not more than it reported."""

import pytest

from monkey_coder_server.domain.stream_events import Answer, TextDelta, ThinkingDelta, ToolCallDelta, ToolCallOpened
from monkey_coder_server.domain.usage import USAGE_RULES
from monkey_coder_server.features.inference.measure import usage_of
from monkey_coder_server.features.inference.pipeline import PipelineSettings
from monkey_coder_server.ports.provider import CancelPolicy
from packages.server.tests.domain.test_prompt_tokens import ask
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Caller, Gateway
from packages.server.tests.features.inference.world import Script

MODEL = "openai/gpt-big"


def test_a_thought_that_was_cut_off_is_counted() -> None:
    answer = Answer()
    answer.apply(ThinkingDelta("x" * 4_000))
    usage = usage_of(answer, ask(), USAGE_RULES["openai"], unfinished=True)
    assert (usage.output, usage.reasoning) == (1_000, 1_000)


def test_the_arguments_of_a_call_that_was_cut_off_are_counted() -> None:
    answer = Answer()
    for event in (TextDelta("y" * 40), ToolCallOpened(0, "call_1", "write"), ToolCallDelta(0, "z" * 400)):
        answer.apply(event)
    assert usage_of(answer, ask(), USAGE_RULES["openai"], unfinished=True).output == 110


@pytest.mark.parametrize("policy", [CancelPolicy.CANCEL, CancelPolicy.DRAIN])
async def test_a_caller_who_leaves_during_the_thoughts_pays_for_them(policy: CancelPolicy) -> None:
    gateway = Gateway(policy=policy, pipeline=PipelineSettings(drain=0.05))
    script = wires.openai_stream("think " * 200, step=600)
    pieces = [piece.replace(b'"content"', b'"reasoning_content"') for piece in script.pieces[:3]]
    gateway.wire.play("openai", Script(pieces=pieces, gap=0.01, hang=True))
    await gateway.stream(model=MODEL, caller=Caller(hang_up_after=2))
    await gateway.settle_down()
    ((settlement, _),) = gateway.books.settled.values()
    assert settlement.usage.reasoning >= 150


async def test_a_stream_that_was_over_before_anybody_got_it_costs_the_house_what_the_provider_reported() -> None:
    gateway = Gateway(pipeline=PipelineSettings(durable=0.02))
    gateway.books.durable_delay = 1.0
    gateway.wire.play("openai", Script(pieces=[b"".join(wires.openai_stream("word " * 4).pieces)]))
    assert (await gateway.stream(model=MODEL)).status == 503
    (failed,) = gateway.books.voided.values()
    assert failed.provider_cost == 100 * 10_000 + 20 * 30_000
    assert not failed.usage.estimated
