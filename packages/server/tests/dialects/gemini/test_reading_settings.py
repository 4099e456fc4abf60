"""What a caller's tools and settings mean."""

from typing import Any

import pytest

from monkey_coder_server.domain.conversation import OutputFormat, Reasoning, Sampling, Source, Tool, ToolChoice
from monkey_coder_server.domain.errors import InvalidRequest
from packages.server.tests.dialects.gemini.reading import FRONT, HELLO, asked, inbound

PARAMETERS = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
NOTHING = {"type": "object", "properties": {}}


def configured(**config: Any) -> Any:
    return asked(generationConfig=config)


def declared(*functions: Any) -> list[dict[str, Any]]:
    return [{"functionDeclarations": list(functions)}]


def test_the_request_knows_its_source_and_dialect() -> None:
    body = b'{ "contents": [{"parts":[{"text":"Hi"}]}], "labels": {"a": "b"} }'
    given = inbound(body, model="openai/gpt-5")
    assert given.model == "openai/gpt-5"
    assert given.request.source == Source("gemini", body)
    assert given.request.dialect == "gemini"
    assert given.request.extra == {"labels": {"a": "b"}}
    assert given.lost == ("labels",)


def test_sampling_in_both_spellings() -> None:
    meant = Sampling(
        max_tokens=100,
        temperature=0.5,
        top_p=0.9,
        top_k=40,
        seed=7,
        stop=("END",),
        presence_penalty=0.1,
        frequency_penalty=-0.1,
    )
    camel = {
        "maxOutputTokens": 100,
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40.0,
        "seed": "7",
        "stopSequences": ["END"],
        "presencePenalty": 0.1,
        "frequencyPenalty": -0.1,
        "candidateCount": 1,
    }
    snake = {"max_output_tokens": "100", "temperature": 0.5, "top_p": 0.9, "top_k": 40, "seed": 7.0}
    snake |= {"stop_sequences": ["END"], "presence_penalty": 0.1, "frequency_penalty": -0.1}
    assert configured(**camel).sampling == asked(generation_config=snake).sampling == meant
    assert asked(generationConfig=None).sampling == Sampling()


@pytest.mark.parametrize(
    ("thinking", "meant"),
    [
        (None, None),
        ({}, Reasoning(include_text=False)),
        ({"includeThoughts": True}, Reasoning()),
        ({"thinkingBudget": 0}, Reasoning(enabled=False, include_text=False)),
        ({"thinkingBudget": -1, "includeThoughts": True}, Reasoning()),
        ({"thinkingBudget": 8192, "includeThoughts": True}, Reasoning(budget_tokens=8192)),
        ({"thinking_level": "HIGH", "include_thoughts": True}, Reasoning(effort="high")),
        ({"thinkingLevel": "minimal"}, Reasoning(effort="minimal", include_text=False)),
        ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, Reasoning(include_text=False)),
    ],
)
def test_thinking(thinking: Any, meant: Reasoning | None) -> None:
    assert configured(thinkingConfig=thinking).reasoning == meant


@pytest.mark.parametrize(
    ("config", "meant"),
    [
        ({}, None),
        ({"responseMimeType": "text/plain"}, None),
        ({"responseMimeType": "application/json"}, OutputFormat("json")),
        ({"responseMimeType": "application/json", "responseSchema": PARAMETERS}, OutputFormat("json_schema", SCHEMA)),
        ({"response_json_schema": SCHEMA}, OutputFormat("json_schema", SCHEMA)),
        ({"responseJsonSchema": PARAMETERS}, OutputFormat("json_schema", SCHEMA)),
        ({"_responseJsonSchema": SCHEMA}, OutputFormat("json_schema", SCHEMA)),
        ({"responseJsonSchema": {}}, OutputFormat("json_schema")),
        ({"responseMimeType": "text/x.enum", "responseSchema": {"type": "STRING", "enum": ["a"]}}, None),
    ],
)
def test_the_form_of_the_answer(config: Any, meant: OutputFormat | None) -> None:
    assert configured(**config).output == meant


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ({"safetySettings": []}, ("safetySettings",)),
        ({"safety_settings": [], "store": None}, ("safetySettings",)),
        ({"generationConfig": {"responseModalities": ["TEXT"], "responseLogprobs": False}}, ()),
        ({"generationConfig": {"responseModalities": ["IMAGE"]}}, ("generationConfig.responseModalities",)),
        ({"generation_config": {"speech_config": {}}}, ("generationConfig.speechConfig",)),
        (
            {"generationConfig": {"responseMimeType": "text/x.enum", "responseSchema": {"enum": ["a"]}}},
            ("generationConfig.responseMimeType", "generationConfig.responseSchema"),
        ),
        ({"toolConfig": {"retrievalConfig": {}, "functionCallingConfig": {}}}, ("toolConfig.retrievalConfig",)),
    ],
)
def test_what_only_google_can_be_told_is_named(field: Any, names: tuple[str, ...]) -> None:
    assert inbound({**HELLO, **field}).lost == names


def test_functions_with_either_kind_of_schema_or_none() -> None:
    functions = [
        {"name": "a", "description": "Does a.", "parameters": PARAMETERS},
        {"name": "b", "parameters_json_schema": SCHEMA},
        {"name": "c", "parametersJsonSchema": {**SCHEMA, "$defs": {"x": {"type": "string"}}}, "parameters": None},
        {"name": "d"},
        {"name": "e", "parameters": {}},
    ]
    assert asked(tools=[*declared(*functions[:2]), {"function_declarations": functions[2:]}]).tools == (
        Tool("a", "Does a.", SCHEMA),
        Tool("b", None, SCHEMA),
        Tool("c", None, {**SCHEMA, "$defs": {"x": {"type": "string"}}}),
        Tool("d", None, NOTHING),
        Tool("e", None, NOTHING),
    )


@pytest.mark.parametrize(
    ("given_schema", "said"),
    [
        ({"type": "OBJECT"}, NOTHING),
        ({"type": "OBJECT", "properties": None}, NOTHING),
        ({"properties": {"a": {"type": "STRING"}}}, {"type": "object", "properties": {"a": {"type": "string"}}}),
        ({"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}),
        ({"type": "STRING"}, {"type": "string"}),
    ],
)
def test_a_schema_is_said_in_full(given_schema: Any, said: Any) -> None:
    assert asked(tools=declared({"name": "f", "parameters": given_schema})).tools == (Tool("f", None, said),)


def test_googles_own_tools_are_kept_as_they_are() -> None:
    tools = [
        {"google_search": {"time_range_filter": {}}, "functionDeclarations": [{"name": "a"}]},
        {"codeExecution": {}},
    ]
    assert asked(tools=[*tools, {"urlContext": None}]).tools == (
        Tool("google_search", server={"googleSearch": {"time_range_filter": {}}}, dialect="gemini"),
        Tool("a", None, NOTHING),
        Tool("code_execution", server={"codeExecution": {}}, dialect="gemini"),
    )


@pytest.mark.parametrize(
    ("calling", "choice", "names"),
    [
        (None, None, "abs"),
        ({}, None, "abs"),
        ({"mode": "MODE_UNSPECIFIED", "allowedFunctionNames": ["a"]}, None, "abs"),
        ({"mode": "AUTO"}, ToolChoice("auto"), "abs"),
        ({"mode": "auto"}, ToolChoice("auto"), "abs"),
        ({"mode": "NONE"}, ToolChoice("none"), "abs"),
        ({"mode": "ANY"}, ToolChoice("required"), "abs"),
        ({"mode": "ANY", "allowedFunctionNames": ["b"]}, ToolChoice("named", "b"), "abs"),
        ({"mode": "ANY", "allowed_function_names": ["a", "b"]}, ToolChoice("required"), "abs"),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["a"]}, ToolChoice("auto"), "as"),
    ],
)
def test_who_may_be_called(calling: Any, choice: ToolChoice | None, names: str) -> None:
    tools = [*declared({"name": "a"}, {"name": "b"}), {"googleSearch": {}}]
    request = asked(tools=tools, tool_config={"function_calling_config": calling})
    assert request.tool_choice == choice
    assert "".join(tool.name[0] for tool in request.tools) == names.replace("s", "g")


@pytest.mark.parametrize(
    ("field", "named"),
    [
        ({"generationConfig": {"candidateCount": 2}}, "`generationConfig.candidateCount`"),
        ({"generationConfig": {"maxOutputTokens": 0}}, "`generationConfig.maxOutputTokens`"),
        ({"generationConfig": {"maxOutputTokens": "many"}}, "`generationConfig.maxOutputTokens`"),
        ({"generationConfig": {"maxOutputTokens": 1.5}}, "`generationConfig.maxOutputTokens`"),
        ({"generationConfig": {"maxOutputTokens": True}}, "`generationConfig.maxOutputTokens`"),
        ({"generationConfig": {"temperature": "hot"}}, "`generationConfig.temperature`"),
        ({"generationConfig": {"temperature": True}}, "`generationConfig.temperature`"),
        ({"generationConfig": {"stopSequences": "END"}}, "`generationConfig.stopSequences`"),
        ({"generationConfig": {"stopSequences": [5]}}, "`generationConfig.stopSequences`"),
        ({"generationConfig": {"thinkingConfig": 5}}, "`generationConfig.thinkingConfig`"),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": -2}}}, "thinkingConfig.thinkingBudget`"),
        ({"generationConfig": {"responseSchema": []}}, "`generationConfig.responseSchema`"),
        ({"generationConfig": []}, "`generationConfig`"),
        ({"tools": "all"}, "`tools`"),
        ({"tools": [5]}, "`tools[0]`"),
        ({"tools": declared({"description": "x"})}, "`tools[0].functionDeclarations[0].name`"),
        ({"tools": declared({"name": "a", "parameters": 5})}, "`tools[0].functionDeclarations[0].parameters`"),
        ({"toolConfig": {"functionCallingConfig": {"mode": "SOMETIMES"}}}, "functionCallingConfig.mode`"),
        (
            {"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [1]}}},
            "functionCallingConfig.allowedFunctionNames`",
        ),
    ],
)
def test_what_cannot_be_read_is_named_in_a_sentence(field: Any, named: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        inbound({**HELLO, **field})
    assert named in refused.value.message
    assert refused.value.message.endswith(".")


def test_an_endless_schema_is_refused() -> None:
    schema: Any = {"type": "STRING"}
    for _ in range(100):
        schema = {"type": "ARRAY", "items": schema}
    with pytest.raises(InvalidRequest, match="nested more than 64 levels"):
        configured(responseSchema=schema)


def test_a_request_to_be_counted_may_stand_in_a_field_of_its_own() -> None:
    given = inbound({"generateContentRequest": {"model": "models/m", **HELLO}}, model=None)
    assert (given.model, given.request.messages) == ("models/m", asked().messages)


@pytest.mark.parametrize(
    ("query", "sent_as"),
    [
        ({"alt": "sse"}, b"text/event-stream"),
        ({"$alt": "sse"}, b"text/event-stream"),
        ({}, b"application/json; charset=UTF-8"),
        ({"alt": "json"}, b"application/json; charset=UTF-8"),
    ],
)
def test_a_stream_is_an_array_unless_events_are_asked_for(query: dict[str, str], sent_as: bytes) -> None:
    given = inbound(HELLO, stream=True, query=query)
    assert given.stream
    assert FRONT.content_type(given) == sent_as
