"""The kind of work is what the caller's last words say, in every dialect, and no word of it is kept."""

import pytest

from monkey_coder_server.domain.conversation import Image, Message, ModelRequest, OutputFormat, Role, Text, ToolResult
from monkey_coder_server.domain.work import Work, kind_of, last_words, size_of, work_of


def asked(*texts: str, output: OutputFormat | None = None) -> ModelRequest:
    return ModelRequest((Message(Role.USER, tuple(Text(text) for text in texts)),), output=output)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("write hello.txt", "implement"),
        ("Implement binary search over a sorted list", "implement"),
        ("add a --verbose flag to the command", "implement"),
        ("Please build a small REST service for notes", "implement"),
        ("fix the failing test in billing", "fix"),
        ("This crashes with a KeyError, please explain", "fix"),
        ("There is a bug in the parser", "fix"),
        ("write unit tests for the parser", "test"),
        ("Add more test cases around empty input", "test"),
        ("explain how the cache works", "explain"),
        ("Why does this test fail?", "explain"),
        ("What is a monad?", "explain"),
        ("how do I reverse a list", "explain"),
        ("Review this diff before I merge it", "review"),
        ("audit the login for vulnerabilities", "review"),
        ("refactor the settings module", "refactor"),
        ("rename Foo to Bar everywhere", "refactor"),
        ("write docstrings for the public functions", "document"),
        ("update the README", "document"),
        ("Summarise the conversation so far", "summarise"),
        ("Generate a title for this conversation:", "summarise"),
        ("USER: write hello.txt\n\n# Diffs:\ndiff --git a/hello.txt", "summarise"),
        ("hi", "chat"),
        ("", "chat"),
        ("thanks, that is all", "chat"),
    ],
)
def test_the_first_verb_that_names_a_kind_of_work_does(said: str, kind: str) -> None:
    assert kind_of(said) == kind


def test_instructions_are_found_at_either_end_of_a_long_text() -> None:
    matter = "lorem ipsum " * 500
    assert kind_of(f"fix this: {matter}") == "fix"
    assert kind_of(f"{matter} refactor it") == "refactor"
    assert kind_of(f"{matter} fix {matter}") == "chat"


def test_a_task_type_that_says_the_kind_is_believed_over_the_words() -> None:
    assert work_of("testing", asked("fix a.py"), 10) == Work("test", "python", "small")
    assert work_of("custom", asked("fix a.py"), 10).kind == "fix"
    assert work_of("chat", asked("hello"), 10) == Work("chat", "", "small")


def test_an_answer_for_programs_without_tools_is_an_extraction() -> None:
    assert work_of("chat", asked("fix a.py", output=OutputFormat("json")), 10).kind == "extract"


def test_an_agents_reminders_and_results_are_not_the_users_words() -> None:
    request = ModelRequest(
        (
            Message(Role.SYSTEM, (Text("fix everything"),)),
            Message(Role.USER, (Text("<reminder>review</reminder>"), Text("write tests for a.go"))),
            Message(Role.ASSISTANT, (Text("refactor"),)),
            Message(Role.USER, (ToolResult("call_1", (Text("explain"),)), Image(url="https://a.example/b.png"))),
        )
    )
    assert last_words(request) == "write tests for a.go"
    assert work_of("chat", request, 10)[:2] == ("test", "go")


def test_a_request_without_words_is_chat() -> None:
    assert last_words(ModelRequest(())) == ""


@pytest.mark.parametrize(
    ("tokens", "size"), [(0, "small"), (2_000, "medium"), (16_000, "large"), (128_000, "huge"), (10**7, "huge")]
)
def test_sizes_are_classes(tokens: int, size: str) -> None:
    assert size_of(tokens) == size
