"""`monkey chat`."""

from collections.abc import Callable

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import FakeGateway

Monkey = Callable[..., Ran]


def test_a_conversation_sends_what_was_said_before(
    monkey: Monkey, gateway: FakeGateway, person: Callable[[str], None]
) -> None:
    person("first\n\nsecond\n/new\nthird\n/exit\nnever\n")
    assert monkey("chat").code == 0
    prompts = [seen.body["prompt"] for seen in gateway.seen]
    assert prompts[0] == "first"
    assert "User: first\nAssistant: Here is" in prompts[1]
    assert prompts[1].endswith("The user now says:\n\nsecond")
    assert prompts[2] == "third"
    sessions = [seen.body["context"]["session_id"] for seen in gateway.seen]
    assert sessions[0] == sessions[1] != sessions[2]


def test_old_turns_are_left_out_when_they_do_not_fit() -> None:
    from monkey_coder.cli.commands.chat import MAX_HISTORY_CHARACTERS, conversation_prompt

    long = "x" * (MAX_HISTORY_CHARACTERS - 100)
    words = conversation_prompt("now", [("oldest", long), ("later", "y" * 200)])
    assert "oldest" not in words
    assert "later" in words
    assert conversation_prompt("now", [("a", "x" * MAX_HISTORY_CHARACTERS)]) == "now"


def test_a_piped_message_is_one_question(monkey: Monkey, gateway: FakeGateway, typed: Callable[[str], None]) -> None:
    typed("why?\nreally?")
    assert monkey("chat").code == 0
    assert gateway.seen[0].body["prompt"] == "why?\nreally?"
    typed("")
    assert monkey("chat").code == 2
