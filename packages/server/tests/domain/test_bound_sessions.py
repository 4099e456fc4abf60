"""Which conversations only the model they began with can safely go on with."""

import pytest

from monkey_coder_server.domain.bound_sessions import bound_to_its_model
from monkey_coder_server.domain.conversation import (
    Message,
    ModelRequest,
    Part,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Unknown,
)

ASKED = Message(Role.USER, (Text("go on"),))
RESULT = Message(Role.TOOL, (ToolResult("c1", (Text("done"),)),))


def said(part: Part) -> Message:
    return Message(Role.ASSISTANT, (part,))


CALLED = said(ToolCall("c1", "f", "{}"))


@pytest.mark.parametrize(
    ("messages", "bound"),
    [
        ((), False),
        ((ASKED,), False),
        ((Message(Role.SYSTEM, (Text("be brief"),)), ASKED), False),
        ((ASKED, CALLED, RESULT), True),
        ((ASKED, CALLED, RESULT, said(Text("there")), ASKED), False),
        ((ASKED, said(Thinking("hm")), ASKED), False),
        ((ASKED, said(Thinking("hm", signature="s")), ASKED), True),
        ((ASKED, said(Thinking("", redacted="r")), ASKED), True),
        ((ASKED, said(ToolCall("c1", "f", "{}", signature="s")), RESULT, ASKED), True),
        ((ASKED, said(Unknown("x", {})), ASKED), True),
    ],
)
def test_a_tools_result_signed_thoughts_and_blocks_of_one_dialect_bind(
    messages: tuple[Message, ...], bound: bool
) -> None:
    assert bound_to_its_model(ModelRequest(messages)) is bound
