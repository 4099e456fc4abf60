"""What was learnt outlives the process; what teaches nothing is not kept."""

import asyncio

from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Text
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.domain.likeness import Lesson, Likeness, shape_of
from monkey_coder_server.domain.prompt_tokens import prompt_size
from monkey_coder_server.features.inference.foresight import Asked, Foresight
from monkey_coder_server.features.inference.schooling import Schooling
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import CARDS, Gateway
from packages.server.tests.features.inference.world import Notebook

REQUEST = ModelRequest((Message(Role.USER, (Text("add paging"),)),))
SIZE = prompt_size(REQUEST)
LIKE = Likeness.of("acct_1", shape_of("testing", REQUEST), None, REQUEST, SIZE)
CARD = CARDS["openai/gpt-big"]
LESSON = Lesson(LIKE, CARD.name, 10, 10, 0, 0, 77, 0)


def expected(foresight: Foresight) -> int:
    return foresight.expect(Asked("testing", LIKE, SIZE), CARD, most_output=50_000).seen


async def test_a_process_starts_with_what_others_learnt() -> None:
    foresight = Foresight()
    schooling = Schooling(foresight, Notebook(LESSON, LESSON), seconds=60.0)
    await schooling.start()
    assert expected(foresight) == 2
    await schooling.stop()


async def test_a_database_that_is_away_keeps_nobody_from_starting_or_stopping() -> None:
    book = Notebook(LESSON)
    book.fail.append(Unavailable("away", retry_after=1.0))
    foresight = Foresight()
    schooling = Schooling(foresight, book, seconds=60.0)
    await schooling.start()
    assert expected(foresight) == 0
    await schooling.stop()


async def test_served_requests_are_stored_while_it_runs_and_what_is_left_at_its_end() -> None:
    gateway = Gateway()
    gateway.wire.scripts["openai"].append(wires.openai())
    await gateway.ask(model="openai/gpt-big")
    assert not gateway.lessons.lessons
    await gateway.feature.start()
    await asyncio.wait_for(gateway.lessons.kept.wait(), 5)
    await gateway.ask(model="openai/gpt-big")
    await gateway.feature.stop()
    assert [(each.model, each.input, each.answer) for each in gateway.lessons.lessons.values()] == [
        ("openai/gpt-big", 100, 20)
    ] * 2


async def test_a_quote_after_a_restart_knows_what_was_served_before() -> None:
    before = Gateway()
    before.wire.scripts["openai"].append(wires.openai(output=77))
    for _ in range(3):
        await before.ask(model="openai/gpt-big")
    await before.feature.stop()
    after = Gateway()
    after.lessons.lessons = dict(before.lessons.lessons)
    await after.feature.start()
    [route] = (await after.ask("/v1/quote", model="openai/gpt-big")).json["routes"]
    assert (route["learned_from"], route["expected_output_tokens"], route["input_tokens"]) == (3, 77, 100)
    await after.feature.stop()
