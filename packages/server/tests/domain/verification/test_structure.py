"""JSON answers and tool calls."""

import pytest

from monkey_coder_server.domain.conversation import ModelRequest, OutputFormat, Source, Tool, ToolCall
from monkey_coder_server.domain.stream_events import Answer, FinishReason
from monkey_coder_server.domain.verification.structure import MOST_JSON, structured, tool_calls
from monkey_coder_server.domain.verification.verdict import Outcome

PASSED, FAILED, NOTHING = Outcome.PASSED, Outcome.FAILED, Outcome.NOT_APPLICABLE
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
READ = Tool("read", schema=SCHEMA)
AS_SCHEMA = ModelRequest((), output=OutputFormat("json_schema", SCHEMA))


@pytest.mark.parametrize(
    ("request_", "text", "outcomes"),
    [
        (ModelRequest(()), "x", (NOTHING, NOTHING)),
        (AS_SCHEMA, " ", (NOTHING, NOTHING)),
        (AS_SCHEMA, '{"path": "a"}', (PASSED, PASSED)),
        (AS_SCHEMA, '{"path": 1}', (PASSED, FAILED)),
        (AS_SCHEMA, '```json\n{"path": "a"}\n```', (FAILED, NOTHING)),
        (AS_SCHEMA, '{"path": "a', (FAILED, NOTHING)),
        (AS_SCHEMA, "NaN", (FAILED, NOTHING)),
        (AS_SCHEMA, "[" * 100_000, (NOTHING, NOTHING)),
        (AS_SCHEMA, "1" * 5_000, (NOTHING, NOTHING)),
        (AS_SCHEMA, "1" * (MOST_JSON + 1), (NOTHING, NOTHING)),
        (ModelRequest((), output=OutputFormat("json")), "{}", (PASSED, NOTHING)),
        (ModelRequest((), output=OutputFormat("json_schema", {"$ref": "x"})), "{}", (PASSED, NOTHING)),
    ],
)
def test_an_answer_is_json_of_the_schema_where_that_was_asked(
    request_: ModelRequest, text: str, outcomes: tuple[Outcome, Outcome]
) -> None:
    assert tuple(found.outcome for found in structured(request_, text)) == outcomes


def _called(name: str, arguments: str, *, custom: bool = False) -> Answer:
    return Answer(calls=[ToolCall("c1", name, arguments, custom)])


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(), NOTHING),
        (Answer(finish=FinishReason.MALFORMED_CALL), FAILED),
        (_called("read", '{"path": "a"}'), PASSED),
        (_called("read", '{"path": 1}'), FAILED),
        (_called("read", ""), FAILED),
        (_called("read", "[]"), FAILED),
        (_called("read", '{"path": "a'), FAILED),
        (_called("write", "{}"), FAILED),
        (_called("read", "free text", custom=True), NOTHING),
    ],
)
def test_a_call_names_an_offered_tool_with_arguments_it_takes(answer: Answer, outcome: Outcome) -> None:
    assert tool_calls(ModelRequest((), tools=(READ,)), answer).outcome is outcome


@pytest.mark.parametrize(
    "request_",
    [
        ModelRequest((), tools=(READ,), source=Source("openai_chat", b"{}", server_tools=1)),
        ModelRequest((), tools=(READ, Tool("search", server={"type": "web_search"}))),
    ],
)
def test_a_call_of_a_tool_that_may_stand_elsewhere_is_not_judged(request_: ModelRequest) -> None:
    assert tool_calls(request_, _called("other", "{}")).outcome is NOTHING
