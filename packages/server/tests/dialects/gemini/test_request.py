"""What a conversation looks like as a generateContent request."""

from dataclasses import replace
from typing import Any

import pytest

from monkey_coder_server.domain.conversation import (
    CacheHint,
    Document,
    Image,
    Message,
    ModelRequest,
    OutputFormat,
    Part,
    Reasoning,
    Refusal,
    Role,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Unknown,
)
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.providers.google import PROVIDER
from packages.server.tests.dialects import conversations
from packages.server.tests.dialects.conversations import PDF, PNG, SCHEMA, WEATHER, assistant, result, system, user

OLD = "gemini-2.5-flash"
NEW = "gemini-3.8-flash"
SKIP = "skip_thought_signature_validator"


def written(request: ModelRequest, model: str = OLD) -> dict[str, Any]:
    return conversations.body(PROVIDER, model, request)


def parts(*given: Part, model: str = OLD) -> list[dict[str, Any]]:
    return written(ModelRequest((user(*given),)), model)["contents"][0]["parts"]


def said(*given: Part, model: str = OLD) -> list[dict[str, Any]]:
    return written(ModelRequest((user("?"), assistant(*given))), model)["contents"][1]["parts"]


def config(model: str = OLD, **fields: Any) -> dict[str, Any]:
    sent = written(ModelRequest((user("?"),), **fields), model)["generationConfig"]
    assert sent.pop("maxOutputTokens") == 65_536
    return sent


@pytest.mark.parametrize(
    ("stream", "path"),
    [
        (False, "/v1beta/models/gemini-2.5-flash:generateContent"),
        (True, "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
    ],
)
def test_a_plain_question(stream: bool, path: str) -> None:
    request = ModelRequest((system("Be brief."), user("Hi")))
    wire = PROVIDER.dialect.encode(request, card=conversations.card(PROVIDER, OLD), key="a-key", stream=stream)
    assert wire.path == path
    assert wire.headers == {"content-type": "application/json", "x-goog-api-key": "a-key"}
    assert wire.body == (
        b'{"generationConfig":{"maxOutputTokens":65536},"systemInstruction":{"parts":[{"text":"Be brief."}]},'
        b'"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}'
    )


def test_a_tool_turn_joins_neighbours_names_results_and_puts_them_first() -> None:
    request = ModelRequest(
        (
            user("Weather?"),
            assistant("I look.", ToolCall("c1", "get_weather", '{"city":"Oslo"}'), ToolCall("c2", "now", "")),
            user("Quick!"),
            result("c1", "rain"),
            result("c2", "broken", is_error=True),
        ),
        tools=(WEATHER,),
    )
    assert written(request)["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {"text": "I look."},
                {"functionCall": {"id": "c1", "name": "get_weather", "args": {"city": "Oslo"}}},
                {"functionCall": {"id": "c2", "name": "now", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "c1", "name": "get_weather", "response": {"output": "rain"}}},
                {"functionResponse": {"id": "c2", "name": "now", "response": {"error": "broken"}}},
                {"text": "Quick!"},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Image(data=PNG), {"inlineData": {"mimeType": "image/png", "data": PNG}}),
        (Image(url=f"data:image/gif;base64,{PNG}"), {"inlineData": {"mimeType": "image/gif", "data": PNG}}),
        (
            Image(url="https://a.b/c.jpg?d=e"),
            {"fileData": {"fileUri": "https://a.b/c.jpg?d=e", "mimeType": "image/jpeg"}},
        ),
        (Image(url="https://a.b/c"), {"fileData": {"fileUri": "https://a.b/c"}}),
        (Document(data=PDF), {"inlineData": {"mimeType": "application/pdf", "data": PDF}}),
        (Document(text="notes", name="n.txt"), {"text": "notes"}),
        (
            Document(file_id="https://g/v1beta/files/1", media_type="application/pdf"),
            {"fileData": {"fileUri": "https://g/v1beta/files/1", "mimeType": "application/pdf"}},
        ),
        (Text("x", CacheHint()), {"text": "x"}),
        (Unknown("gemini", {"videoMetadata": {}}), {"videoMetadata": {}}),
    ],
)
def test_a_users_part(part: Part, expected: dict[str, Any]) -> None:
    assert parts(part) == [expected]


def test_an_image_in_a_tool_result_stands_inside_it_only_for_newer_models() -> None:
    shown = ToolResult("c", (Text("see"), Image(data=PNG)), name="look")
    image = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    answered = {"id": "c", "name": "look", "response": {"output": "see"}}
    assert parts(shown, model=OLD) == [{"functionResponse": answered}, image]
    assert parts(shown, model=NEW) == [{"functionResponse": {**answered, "parts": [image]}}]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Thinking("Hm", signature="s", origin="google"), {"text": "Hm", "thought": True, "thoughtSignature": "s"}),
        (Thinking("", signature="s", origin="google"), {"thought": True, "thoughtSignature": "s"}),
        (Refusal("I cannot."), {"text": "I cannot."}),
        (ToolCall("c", "a", "{"), {"functionCall": {"id": "c", "name": "a", "args": {"unparsed_arguments": "{"}}}),
        (ToolCall("c", "a", "***", custom=True), {"functionCall": {"id": "c", "name": "a", "args": {"input": "***"}}}),
        (
            ToolCall("c", "a", "{}", signature="s", origin="google"),
            {"functionCall": {"id": "c", "name": "a", "args": {}}, "thoughtSignature": "s"},
        ),
        (
            ToolCall("c", "a", "{}", signature="s", origin="anthropic"),
            {"functionCall": {"id": "c", "name": "a", "args": {}}},
        ),
    ],
)
def test_a_models_part(part: Part, expected: dict[str, Any]) -> None:
    assert said(Text("So"), part) == [{"text": "So"}, expected]


@pytest.mark.parametrize(
    "part",
    [
        Thinking("Hm", signature="s", origin="anthropic"),
        Thinking("Hm", signature="s"),
        Thinking("Hm", origin="google"),
        Unknown("anthropic_messages", {"type": "x"}),
    ],
    ids=["signed elsewhere", "of unknown origin", "unsigned", "another dialect's"],
)
def test_a_part_that_is_good_only_elsewhere_is_left_out(part: Part) -> None:
    assert said(Text("So"), part) == [{"text": "So"}]


def test_a_call_another_model_made_is_excused_from_its_signature_once_a_turn() -> None:
    first, second = said(ToolCall("c1", "a", "{}"), ToolCall("c2", "b", "{}"), model=NEW)
    assert first["thoughtSignature"] == SKIP
    assert "thoughtSignature" not in second
    assert said(ToolCall("c", "a", "{}", signature="s", origin="google"), model=NEW)[0]["thoughtSignature"] == "s"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        (ToolChoice("auto", parallel=False), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("named", "get_weather"), {"mode": "ANY", "allowedFunctionNames": ["get_weather"]}),
    ],
)
def test_a_tool_choice(choice: ToolChoice | None, expected: dict[str, Any] | None) -> None:
    sent = written(ModelRequest((user("?"),), tools=(WEATHER,), tool_choice=choice))
    assert sent.get("toolConfig") == (None if expected is None else {"functionCallingConfig": expected})


def test_tools_of_every_kind() -> None:
    tools = (WEATHER, Tool("search", server={"googleSearch": {}}, dialect="gemini"), Tool("patch"))
    assert written(ModelRequest((user("?"),), tools=tools))["tools"] == [
        {
            "functionDeclarations": [
                {"name": "get_weather", "description": "The weather in a city.", "parametersJsonSchema": SCHEMA},
                {
                    "name": "patch",
                    "parametersJsonSchema": {
                        "type": "object",
                        "properties": {"input": {"type": "string"}},
                        "required": ["input"],
                    },
                },
            ]
        },
        {"googleSearch": {}},
    ]


def test_sampling() -> None:
    everything = Sampling(
        temperature=1.5, top_p=0.5, top_k=3, seed=7, stop=("END",), presence_penalty=0.5, frequency_penalty=0.0
    )
    assert config(sampling=everything) == {
        "stopSequences": ["END"],
        "seed": 7,
        "temperature": 1.5,
        "topP": 0.5,
        "topK": 3,
        "presencePenalty": 0.5,
    }
    assert config(NEW, sampling=everything) == {"stopSequences": ["END"], "seed": 7}


@pytest.mark.parametrize(("asked", "sent"), [(None, 65_536), (100, 100), (1_000_000, 65_536)])
def test_the_answers_length_is_always_bounded(asked: int | None, sent: int) -> None:
    request = ModelRequest((user("?"),), sampling=Sampling(max_tokens=asked))
    assert written(request)["generationConfig"]["maxOutputTokens"] == sent


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (OutputFormat("json"), {"responseMimeType": "application/json"}),
        (
            OutputFormat("json_schema", SCHEMA),
            {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
        ),
    ],
)
def test_an_output_format(output: OutputFormat, expected: dict[str, Any]) -> None:
    assert config(output=output) == expected
    assert config(NEW, output=output, tools=(WEATHER,)) == expected


def test_a_model_without_structured_output_is_not_held_to_a_schema() -> None:
    plain = replace(conversations.card(PROVIDER, OLD), capabilities=frozenset())
    request = ModelRequest((user("?"),), output=OutputFormat("json_schema", {}))
    with pytest.raises(InvalidRequest, match="JSON schema"):
        PROVIDER.dialect.encode(request, card=plain, key="k", stream=False)


@pytest.mark.parametrize(
    ("model", "reasoning", "expected"),
    [
        (OLD, Reasoning(), {"includeThoughts": True}),
        (OLD, Reasoning(effort="low", include_text=False), {"includeThoughts": False, "thinkingBudget": 4_096}),
        (OLD, Reasoning(effort="max"), {"includeThoughts": True, "thinkingBudget": 24_576}),
        (OLD, Reasoning(budget_tokens=99), {"includeThoughts": True, "thinkingBudget": 99}),
        (OLD, Reasoning(enabled=False), {"thinkingBudget": 0}),
        ("gemini-2.5-pro", Reasoning(effort="none"), {"thinkingBudget": 128}),
        ("gemini-2.5-flash-lite", Reasoning(budget_tokens=99), {"includeThoughts": True, "thinkingBudget": 512}),
        (NEW, Reasoning(), {"includeThoughts": True}),
        (NEW, Reasoning(effort="minimal"), {"includeThoughts": True, "thinkingLevel": "low"}),
        (NEW, Reasoning(effort="xhigh"), {"includeThoughts": True, "thinkingLevel": "high"}),
        (NEW, Reasoning(budget_tokens=10_000), {"includeThoughts": True, "thinkingLevel": "medium"}),
        (NEW, Reasoning(enabled=False), {"thinkingLevel": "low"}),
        ("gemini-3.5-flash", Reasoning(enabled=False), {"thinkingLevel": "minimal"}),
    ],
)
def test_reasoning(model: str, reasoning: Reasoning, expected: dict[str, Any]) -> None:
    assert config(model, reasoning=reasoning) == {"thinkingConfig": expected}


def test_an_instruction_in_mid_conversation_speaks_through_the_user() -> None:
    late = Message(Role.DEVELOPER, (Text("Now in French."),))
    contents = written(ModelRequest((user("?"), assistant("Yes."), late)))["contents"]
    assert contents[2] == {"role": "user", "parts": [{"text": "<system>\nNow in French.\n</system>"}]}


def test_unknown_fields_go_on_only_to_their_own_dialect() -> None:
    extra = {"safetySettings": [], "generationConfig": "other"}
    own = ModelRequest((user("?"),), dialect="gemini", extra=extra)
    foreign = ModelRequest((user("?"),), dialect="openai_chat", extra=extra)
    assert written(own)["safetySettings"] == []
    assert isinstance(written(own)["generationConfig"], dict)
    assert "safetySettings" not in written(foreign)


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (ModelRequest((user(Image()),)), "needs a URL"),
        (ModelRequest((user(Image(data="QUJD")),)), "media type"),
        (ModelRequest((user(ToolResult("c", ())),)), "answers no call"),
        (ModelRequest((user(ToolCall("a", "b", "{}")),)), "tool call"),
        (ModelRequest((user("?"), assistant(ToolResult("a", ())))), "tool result"),
        (ModelRequest((user("?"),), sampling=Sampling(stop=tuple("abcdef"))), "at most 5"),
        (ModelRequest((user("?"),), tools=(WEATHER,), output=OutputFormat("json")), "drop one"),
        (
            ModelRequest((user("?"),), tools=(Tool("s", server={"type": "x"}, dialect="anthropic_messages"),)),
            "another provider",
        ),
    ],
)
def test_what_the_format_cannot_say_is_refused_in_one_sentence(request_: ModelRequest, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        written(request_)
