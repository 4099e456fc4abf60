"""All checks of an answer, together."""

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.conversation import ModelRequest, OutputFormat
from monkey_coder_server.domain.stream_events import Answer, FinishReason
from monkey_coder_server.domain.verification.checks import MOST_TEXT, verdict
from monkey_coder_server.domain.verification.verdict import Check, Outcome

PIECES = (
    *("```", "```python path=a.py\n", "~~~", "\n", "<<<<<<< SEARCH\n", "=======\n", ">>>>>>> REPLACE\n", "a.py\n"),
    *("--- a/a.py\n", "+++ b/a.py\n", "@@ -1,3 +1,3 @@\n", "-x\n", "+y\n", " ", "(", "[", "{", "I'm sorry, "),
    *("\\", '"', "'", "\x00"),
)


def test_every_check_says_something_once_in_its_order() -> None:
    found = verdict(ModelRequest(()), Answer(text=["Done."], finish=FinishReason.STOP))
    assert [each.check for each in found.findings] == list(Check)
    assert found.passed
    assert found.ran == (Check.NOT_EMPTY, Check.WHOLE, Check.NO_REFUSAL)


def test_text_that_was_relayed_unread_or_is_too_long_is_not_judged() -> None:
    asked = ModelRequest((), output=OutputFormat("json"))
    unread = Answer(text=["{"], skimmed=4, finish=FinishReason.STOP)
    long = Answer(text=["{" * (MOST_TEXT + 1)], finish=FinishReason.STOP)
    for answer in (unread, long):
        assert verdict(asked, answer).ran == (Check.NOT_EMPTY, Check.WHOLE)


def test_files_and_the_kind_of_task_reach_the_checks() -> None:
    text = "a.py\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE\n"
    found = verdict(ModelRequest(()), Answer(text=[text]), files={"a.py": "z"}, task_type="debugging")
    assert [each.check for each in found.failures] == [Check.PATCH_APPLIES]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=60), st.integers(1, 30))
def test_any_answer_is_judged_in_bounded_time(pieces: list[str], times: int) -> None:
    answer = Answer(text=["".join(pieces) * times], finish=FinishReason.STOP)
    begun = process_time()
    found = verdict(ModelRequest((), output=OutputFormat("json")), answer, files={"a.py": "x\n" * 50})
    assert process_time() - begun < 1.0
    assert all(each.reason.endswith(".") for each in found.findings)


@pytest.mark.parametrize("piece", PIECES)
def test_a_piece_repeated_without_end_is_judged_in_bounded_time(piece: str) -> None:
    text = piece * (MOST_TEXT // len(piece))
    begun = process_time()
    found = verdict(ModelRequest((), output=OutputFormat("json")), Answer(text=[text]), files={"a.py": text[:50_000]})
    assert process_time() - begun < 5.0
    assert found.findings[0].outcome in {Outcome.PASSED, Outcome.FAILED}


@pytest.mark.parametrize("searched", ["x", "  q"])
def test_ten_thousand_edits_are_judged_in_bounded_time(searched: str) -> None:
    block = f"a.py\n<<<<<<< SEARCH\n{searched}\n=======\ny\n>>>>>>> REPLACE\n"
    begun = process_time()
    found = verdict(ModelRequest(()), Answer(text=[block * (MOST_TEXT // len(block))]), files={"a.py": "x\n" * 25_000})
    assert process_time() - begun < 5.0
    assert Check.PATCH_APPLIES not in found.ran
