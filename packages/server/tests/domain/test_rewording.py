"""Courtesies, articles and a few words are free; everything else two wordings must have in common, to the letter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.conversation import (
    Document,
    Image,
    Message,
    ModelRequest,
    OutputFormat,
    Role,
    Source,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Unknown,
)
from monkey_coder_server.domain.rewording import (
    FEWEST,
    LONGEST,
    kernel,
    similarity,
    words_asked,
)

SAME = [
    "Write a python function to find the factorial of n.",
    "Write a Python function that finds the factorial of n",
    "write a function in Python to compute the factorial of n!!"[:-2],
    "Please write a python function which calculates factorial of a given n.",
    "Could you please implement a python function to determine the factorial of n?",
    "Hi! I need a python function that can find the factorial of n. Thanks!",
    "Hello there, I'd like you to create a python function that should compute the factorial of n, thank you",
    "Good morning. Help me develop a python function that will find the factorial of n please",
    "PYTHON function to find the factorial of n",
    "  Come up with a python function to find the factorial of n.  Many Thanks!  ",
]
OTHER = [
    "Write a java function to find the factorial of n.",
    "Write a function to find the factorial of n.",
    "Write a python script to find the factorial of n.",
    "Write a python function to print the factorial of n.",
    "Write a python function to find the factorial of N.",
    "Write a python function to find the factorial of m.",
    "Write a python function to find the factorial of n!",
    "Write a python function to find the factorial of 2n.",
    "Write a python function to find factorials of n.",
    "Write a python function to find the factorial of `n`.",
    'Write a python function to find the factorial of "n".',
    "Write a python function to find the double factorial of n.",
    "Write a python function to not find the factorial of n.",
    "Write a python function to find the n of factorial.",
    "Write a python function to find the factorial of n without recursion.",
    "Write a python function to find the factorial of n.\n",
    "Write a python function to find the factorial of n.\nBe brief.",
    "Write a python function: find the factorial of n.",
]


@pytest.mark.parametrize("wording", SAME)
def test_one_request_in_other_words_has_one_kernel(wording: str) -> None:
    assert kernel(wording) == ("write", "python", "function", "to", "find", "factorial", "of", "n")


@pytest.mark.parametrize("wording", [each for each in OTHER if not each.endswith("\n")])
def test_another_request_has_another(wording: str) -> None:
    assert kernel(wording) != kernel(SAME[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What's the capital of France?", "What is the capital of France"),
        ("Why isn\u2019t the sky green?", "Why is not the sky green?"),
        ("Why can't we divide by zero?", "Why cannot we divide by zero?"),
        ("Check whether x is prime or not.", "Check if x is prime"),
        ("Please, what is the colour of the sun?", "What is the color of the sun?"),
        ("Can you explain closures to me?", "Explain closures to me."),
        ("Hey, could you explain closures in JavaScript", "Explain closures in javascript, please."),
        ("Write a function which carries x over", "Write a function to carry x over"),
        ("Write a function that passes x on", "Write a function to pass x on"),
        ("Write a function that discuss x often", "Write a function to discuss x often"),
        ("Write a function, then a test", "Write function, then a test."),
        ("Tell me more about it... thanks", "Tell me more about it"),
        ("Explain this:\n\n  def f():\n    pass\n", "Please explain this:\n\n  def f():\n    pass"),
    ],
)
def test_what_says_the_same(one: str, other: str) -> None:
    assert kernel(one) == kernel(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Compute 5! and print it.", "Compute 5 and print it."),
        ("Print Hello, World on it.", "Print Hello World on it."),
        ("Who is the head of the US today?", "Who is the head of us today?"),
        ("Can you swim across the Channel?", "Swim across the Channel"),
        ("Please in Spanish and French", "Thanks in Spanish and French"),
        ("Hi in Spanish and French", "Hello in Spanish and French"),
        ("Which card goes with thanks", "Which card goes with please"),
        ("Show what comes after a and b", "Show what comes after the and b"),
        ("List a few rivers of Asia", "List few rivers of Asia"),
        ("List a number of rivers", "List the number of rivers"),
        ("Find the given names here", "Find the names here"),
        ("Is it hot or not", "Is it hot"),
        ("Explain it: a b c", "Explain it: b c"),
        ("Explain this:\n  a b", "Explain this:\n a b"),
        ("I need to go home", "To go home now"),
        ("Sort 'a b' by length", "Sort 'b a' by length"),
        ("Say if the value is 1.5 here", "Say if the value is 15 here"),
        ("Open src/Main.py for me", "Open src/main.py for me"),
        ("Call getUser() on each row", "Call getuser() on each row"),
    ],
)
def test_what_says_something_else(one: str, other: str) -> None:
    assert None in {kernel(one), kernel(other)} or kernel(one) != kernel(other)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n ",
        "hi",
        "Please.",
        "Thanks!",
        "go on",
        "Translate the dog sleeps to German.",
        "How do you say please in Spanish?",
        "Which article goes with dog in French?",
        "Write a poem about a function of time",
    ],
)
def test_what_has_to_stay_as_it_is_has_none(text: str) -> None:
    assert kernel(text) is None


def test_so_many_courtesies_say_something() -> None:
    assert kernel("please " * 8 + "explain why it rains") == ("explain", "why", "it", "rains")
    assert kernel("please " * 9 + "explain why it rains") == ("please", "explain", "why", "it", "rains")
    assert kernel("explain why it rains" + ", thanks" * 7) == ("explain", "why", "it", "rains")
    assert kernel("explain why it rains" + ", thanks" * 9) != ("explain", "why", "it", "rains")


def test_words_are_no_subject_where_a_program_works_on_them() -> None:
    assert kernel("Write a function to find the longest word in a text") is not None


@given(st.text(max_size=60))
def test_every_text_has_one_or_none_and_courtesies_around_it_change_nothing(text: str) -> None:
    found = kernel(text)
    assert found == kernel(text)
    assert found is None or len(found) >= FEWEST
    plain = f"explain {text.strip()}"
    if len(plain.splitlines()) == 1 and ":" not in text and not plain[-1].isspace():
        assert kernel(f"Please {plain}") == kernel(plain)


def test_vectors_are_likened_by_their_cosine() -> None:
    assert similarity([1.0, 0.0], [0.6, 0.8]) == pytest.approx(0.6)
    assert similarity([1.0, 1e-9], [1.0000001, 0.0]) == 1.0
    assert similarity([-1.0000001, 0.0], [1.0, 0.0]) == -1.0


def user(*parts: Text | Image | Document | ToolCall | ToolResult | Unknown) -> Message:
    return Message(Role.USER, parts)


EARLIER = (Message(Role.SYSTEM, (Text("be brief"),)), user(Text("a")), Message(Role.ASSISTANT, (Text("b"),)))
ASKED = (*EARLIER, user(Text("what now")))


def test_plain_talk_may_be_put_otherwise_in_its_last_turn() -> None:
    assert words_asked(ModelRequest(ASKED)) == "what now"
    assert words_asked(ModelRequest(ASKED, source=Source("openai-chat", b""))) == "what now"
    assert words_asked(ModelRequest((user(Text("x" * LONGEST)),))) == "x" * LONGEST


@pytest.mark.parametrize(
    "request_",
    [
        ModelRequest(()),
        ModelRequest(ASKED, tools=(Tool("search"),)),
        ModelRequest(ASKED, tool_choice=ToolChoice("none")),
        ModelRequest(ASKED, output=OutputFormat("json")),
        ModelRequest(ASKED, source=Source("openai-chat", b"", server_tools=1)),
        ModelRequest((*ASKED, Message(Role.ASSISTANT, (Text("go on"),)))),
        ModelRequest((*EARLIER, user(Text("two"), Text("parts")))),
        ModelRequest((*EARLIER, user(Text("x" * (LONGEST + 1))))),
        ModelRequest((*EARLIER, user(Image(url="https://a.example/b.png")))),
        ModelRequest((user(Document(text="a file"), Text("x")), *ASKED)),
        ModelRequest((Message(Role.ASSISTANT, (ToolCall("1", "run", "{}"),)), *ASKED)),
        ModelRequest((Message(Role.TOOL, (ToolResult("1", (Text("ok"),)),)), *ASKED)),
        ModelRequest((user(Unknown("openai-chat", {})), *ASKED)),
        ModelRequest((user(Unknown("openai-chat", {})),)),
    ],
)
def test_tools_files_forms_and_long_texts_may_not(request_: ModelRequest) -> None:
    assert words_asked(request_) is None
