"""Answers that come to the same vote alike, however they are put; what differs in meaning does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.ballots import SHORT, ballot

THOUGHTS = "First one thing is so, then another. " * 20
FENCED = "Here it is:\n```python path=a.py\ndef f(x):\n\n    return  x\n```\nRun it."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": [2.0, "x"]}', '```json\n{"b":[2,"x"],"a":1.0}\n```'),
        ('{"a": 1}', 'This is it:\n\n~~~\n{ "a" : 1 }\n~~~\n'),
        ("[1, 2]", "[1,2]\n"),
        (FENCED, "```\ndef f(x):\n    return x\n```"),
        ("```\nif a:\n\tb\n```", "```\nif a:\n    b\n```"),
        ("```\na = 1", "```\na = 1\n```"),
        ("````md\n```py\nx\n```\n````", "~~~~\n```py\nx\n```\n~~~~"),
        ("Paris", "**Paris**."),
        ("Paris", "I think so.\n\nThe answer is Paris!"),
        ("42", "The total is 42."),
        ("42", "> ## `42`"),
        ("42", "40 + 2 = 42.00"),
        ("42", THOUGHTS + "\n#### 42"),
        ("42", THOUGHTS + "\n**Answer:** $42$"),
        ("42", THOUGHTS + "\nSo it is \\boxed{42}."),
        ("1,234.50", "$1234.5"),
        ("-0.0", "0"),
        ("12.50 %", "x = 12.5%"),
        ("007", "7"),
        (THOUGHTS, THOUGHTS.upper().replace(". ", ".\n")),
        ("", " \n"),
    ],
)
def test_what_comes_to_the_same_votes_alike(one: str, other: str) -> None:
    assert ballot(one) == ballot(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1}', '{"a": "1"}'),
        ('{"a": true}', '{"a": 1}'),
        ('{"a": 1}', '{"a": 1'),
        ("```\nif a:\n    b\n    c\n```", "```\nif a:\n    b\nc\n```"),
        ("```\nf(A)\n```", "```\nf(a)\n```"),
        ("```\na\n```\n```\nb\n```", "```\na\n```"),
        ("```\na\n```", "a"),
        ("42", "43"),
        ("42", "-42"),
        ("42", "42%"),
        ("42", "The answer is not 42"),
        ("Between 3 and 7", "Between 4 and 7"),
        ("1,5", "15"),
        ("2*3", "23"),
        ("2**3", "23"),
        ("2**3", "2*3"),
        ("C#", "C"),
        ("Python 3", "Java 3"),
        (THOUGHTS + "\nHope this helps", "Hope this helps"),
        ("answer: " + "x" * SHORT, "x" * SHORT),
        ("yes", ""),
    ],
)
def test_what_differs_votes_apart(one: str, other: str) -> None:
    assert ballot(one) != ballot(other)


def test_calls_are_compared_by_name_and_arguments_whatever_is_said_beside() -> None:
    calls = [("read", '{"path": "a", "line": 1}'), ("list", "")]
    again = [("list", ""), ("read", '{"line":1.0,"path":"a"}')]
    assert ballot("I look.", calls) == ballot("", again)
    assert ballot("I look.", calls) != ballot("I look.", calls[:1])
    assert ballot("", [("patch", "*** a")]) != ballot("", [("patch", "*** b")])


@pytest.mark.parametrize("text", ["[" * 100_000, "[" + "9" * 5_000 + "]", "[NaN]"])
def test_json_that_cannot_be_read_is_compared_as_text(text: str) -> None:
    assert ballot(text)[0] == "text"


@pytest.mark.parametrize("text", ["a" + "*" * 400_000 + "b", "answer " * 60_000, "is " * 130 + "x", "`" * 400_000])
def test_long_answers_of_nothing_are_read_in_one_pass(text: str) -> None:
    assert ballot(text) == ballot(f" {text}\n")


@given(st.text(max_size=300))
def test_any_text_votes_for_something_that_trailing_space_does_not_change(text: str) -> None:
    assert ballot(text) == ballot(text + " \n")
