"""There is an answer, it is whole, and it is no refusal."""

import pytest

from monkey_coder_server.domain.conversation import ToolCall
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.domain.stream_events import Answer, FinishReason
from monkey_coder_server.domain.verification.completeness import (
    LONGEST_REFUSAL,
    declines,
    no_refusal,
    not_empty,
    open_fence,
    whole,
)
from monkey_coder_server.domain.verification.verdict import Outcome

CALL = ToolCall("c1", "read", "{}")
REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "I\u2019m sorry, I can\u2019t assist with that request.",
    "I cannot create malware.",
    "I can't comply with this.",
    "Sorry, I can't do that.",
    "Unfortunately, I am unable to provide this.",
    "I apologize, but I cannot fulfill this request.",
    "As an AI language model, I cannot generate that.",
    "I'm sorry, but as an AI assistant I can't help.",
    "I must decline.",
    "I have to respectfully decline this one.",
    "I won't write this for you.",
    "I'm not comfortable with this.",
    "I am not able to simply help with that.",
)
WORK = (
    "I can't reproduce the fault here; the cause is a missing lock, as line 10 of app.py shows.",
    "Sorry for the trouble. The loop ran once too often; I have changed the bound.",
    "I apologize for the confusion. Here is the whole file.",
    "Unfortunately, the library has no such option; use timeout= instead.",
    "The server cannot create the file because its folder is missing.",
    "I'm sorry, but I can't help with that without a test:\n```python\nassert True\n```",
    "You can't do that in Python 3.8. Use typing.List.",
    "I'm sorry, but I can't help with that. " + "However, here is what I know. " * (LONGEST_REFUSAL // 30),
)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(), Outcome.FAILED),
        (Answer(text=["", " \n"]), Outcome.FAILED),
        (Answer(text=["", "x"]), Outcome.PASSED),
        (Answer(calls=[CALL]), Outcome.PASSED),
        (Answer(skimmed=10), Outcome.PASSED),
        (Answer(computed=1), Outcome.PASSED),
        (Answer(refusal=["No."]), Outcome.NOT_APPLICABLE),
    ],
)
def test_an_answer_without_anything_in_it_is_empty(answer: Answer, outcome: Outcome) -> None:
    assert not_empty(answer).outcome is outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(text=["x"], finish=FinishReason.STOP), Outcome.PASSED),
        (Answer(text=["x"], finish=FinishReason.LENGTH), Outcome.FAILED),
        (Answer(text=["x"]), Outcome.NOT_APPLICABLE),
        (Answer(text=["```py\nx"], finish=FinishReason.STOP), Outcome.FAILED),
        (Answer(text=["```py\nx\n```"], finish=FinishReason.STOP), Outcome.PASSED),
    ],
)
def test_an_answer_is_whole_when_it_ended_by_itself_with_its_fences_closed(answer: Answer, outcome: Outcome) -> None:
    assert whole(answer, "".join(answer.text)).outcome is outcome


def test_an_answer_whose_provider_failed_is_not_whole() -> None:
    answer = Answer(
        text=["x"], failure=ProviderFailure("openai", FailureKind.OVERLOADED, "gone"), finish=FinishReason.STOP
    )
    assert whole(answer, "x").outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("plain", False),
        ("```\na\n```", False),
        ("```\na", True),
        ("~~~\n```\n~~~", False),
        ("````md\n```py\nx\n```\n````", False),
        ("```md\n```py\nx\n```\n```", False),
        ("```md\n```py\nx\n```\n", True),
        ("the fence ``` in a line", False),
        ("```not `a` fence\n", False),
        ("```\na\n````\n", False),
    ],
)
def test_fences_are_counted_as_they_nest(text: str, *, is_open: bool) -> None:
    assert open_fence(text) is is_open


@pytest.mark.parametrize("text", REFUSALS)
def test_a_short_answer_that_begins_with_declining_is_a_refusal(text: str) -> None:
    assert declines(text)
    assert no_refusal(Answer(text=[text]), text).outcome is Outcome.FAILED


@pytest.mark.parametrize("text", WORK)
def test_work_is_not_taken_for_a_refusal_for_its_words(text: str) -> None:
    assert not declines(text)
    assert no_refusal(Answer(text=[text]), text).outcome is Outcome.PASSED


@pytest.mark.parametrize("finish", [FinishReason.REFUSAL, FinishReason.CONTENT_FILTER])
def test_the_providers_word_for_a_refusal_counts(finish: FinishReason) -> None:
    assert no_refusal(Answer(text=["x"], finish=finish), "x").outcome is Outcome.FAILED
    assert no_refusal(Answer(refusal=["No."]), "").outcome is Outcome.FAILED


def test_a_call_beside_words_of_regret_is_no_refusal_and_no_text_says_nothing() -> None:
    assert no_refusal(Answer(text=[REFUSALS[0]], calls=[CALL]), REFUSALS[0]).outcome is Outcome.PASSED
    assert no_refusal(Answer(calls=[CALL]), "").outcome is Outcome.NOT_APPLICABLE
