"""What is expected of a request moves from a prior to what such requests really took."""

from types import SimpleNamespace
from typing import cast

import pytest

from monkey_coder_server.domain import routing_priors
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Text
from monkey_coder_server.domain.likeness import Lesson, Likeness, shape_of
from monkey_coder_server.domain.prompt_tokens import prompt_size
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.features.inference import foresight
from monkey_coder_server.features.inference.foresight import Asked, Foresight, lesson_of
from monkey_coder_server.features.inference.job import Served

CARD = ModelCard("openai", "gpt-x", "X", 100_000, 50_000, frozenset({Capability.REASONING}), 1)
PLAIN = ModelCard("openai", "gpt-y", "Y", 100_000, 50_000, frozenset(), 1)
MOST = 50_000


def asked(words: str = "create a REST API", *, account: str = "acct_1", task_type: str = "testing") -> Asked:
    request = ModelRequest((Message(Role.USER, (Text(words),)),))
    size = prompt_size(request)
    return Asked(task_type, Likeness.of(account, shape_of(task_type, request), None, request, size), size)


def learn(known: Foresight, asked: Asked, card: ModelCard, usage: Usage) -> None:
    known.learn([lesson_of(asked, card, usage)])


def test_before_anything_was_served_the_stated_priors_stand() -> None:
    answer = routing_priors.expected_answer("testing")
    assert Foresight().expect(asked(), PLAIN, most_output=MOST).usage.output == answer
    thinking = Foresight().expect(asked(), CARD, most_output=MOST)
    assert thinking.usage.output == answer + routing_priors.expected_thought(CARD, answer) > answer
    assert thinking.seen == 0


def test_answers_thoughts_prompts_and_caches_are_learnt_each() -> None:
    known = Foresight()
    taken = Usage(uncached_input=100, cache_read=300, cache_write_5m=40, cache_write_1h=10, output=700, reasoning=450)
    for _ in range(12):
        learn(known, asked(), CARD, taken)
    expected = known.expect(asked(), CARD, most_output=MOST)
    assert expected.seen == 12
    assert abs(expected.usage.input - 450) <= 2
    assert abs(expected.usage.cache_read - 300) <= 2
    assert abs(expected.usage.cache_write_5m - 50) <= 2
    assert (expected.usage.output, expected.usage.reasoning) == (700, 450)


def test_an_accounts_own_history_outweighs_everybodys() -> None:
    known = Foresight()
    for _ in range(20):
        learn(known, asked(account="many"), PLAIN, Usage(uncached_input=50, output=2_000))
    for _ in range(5):
        learn(known, asked("another thing"), PLAIN, Usage(uncached_input=50, output=90))
    assert known.expect(asked(account="many"), PLAIN, most_output=MOST).usage.output == 2_000
    assert known.expect(asked(), PLAIN, most_output=MOST).usage.output == 90
    assert known.expect(asked(account="new"), PLAIN, most_output=MOST).usage.output > 90


def test_the_same_words_again_are_known_whatever_files_come_before_them() -> None:
    known = Foresight()
    words = "x" * 200
    for number in range(8):
        learn(known, asked(f"file {number}\n{words}"), PLAIN, Usage(uncached_input=50, output=33))
        learn(known, asked("y" * 200), PLAIN, Usage(uncached_input=50, output=4_000))
    assert known.expect(asked(f"another file\n{words}"), PLAIN, most_output=MOST).usage.output == 33


def test_no_more_is_expected_than_the_route_allows() -> None:
    assert Foresight().expect(asked(), CARD, most_output=64).usage.output == 64


def served(request_id: str, output: int) -> Served:
    """As much of a settled request as is learnt from."""
    settled = SimpleNamespace(
        client_gone=False,
        usage=Usage(uncached_input=50, output=output),
        job=SimpleNamespace(request_id=request_id),
        route=SimpleNamespace(card=PLAIN),
    )
    return cast("Served", settled)


def test_who_asks_is_told_of_every_request_that_was_settled_before() -> None:
    known = Foresight()
    for number in range(3):
        known.served(served(f"req_{number}", 77), asked())
    assert known.usual_outputs("testing", asked().like.shape, asked().like.size, [PLAIN], most=None) == [77]
    known.served(served("req_3", 77), asked())
    assert known.expect(asked(), PLAIN, most_output=MOST).seen == 4
    known.served(served("req_4", 77), asked())
    assert list(known.fresh()) == [f"req_{number}" for number in range(5)]


def test_no_more_requests_wait_to_be_learnt_from_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foresight, "LEARNT_TOGETHER", 3)
    learnt: list[Lesson] = []
    monkeypatch.setattr(Foresight, "learn", lambda _, lessons: learnt.extend(lessons))
    known, seen = Foresight(), []
    for number in range(4):
        known.served(served(f"req_{number}", number), asked())
        seen.append([lesson.answer for lesson in learnt])
    assert seen == [[], [], [0, 1, 2], [0, 1, 2]]


def test_what_is_learnt_together_is_what_would_be_learnt_one_after_another() -> None:
    lessons = [
        lesson_of(
            asked(f"thing {number % 5}", task_type=task), card, Usage(uncached_input=40 + number, output=number**2)
        )
        for number, (task, card) in enumerate([("testing", PLAIN), ("testing", PLAIN), ("chat", CARD)] * 40)
    ]
    together, apart = Foresight(), Foresight()
    together.learn(lessons)
    for lesson in lessons:
        apart.learn([lesson])
    for words, task, card in (("thing 1", "testing", PLAIN), ("thing 2", "chat", CARD), ("other", "testing", CARD)):
        own = asked(words, task_type=task)
        expected = together.expect(own, card, most_output=MOST)
        assert expected == apart.expect(own, card, most_output=MOST)
        assert expected.seen
