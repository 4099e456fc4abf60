"""What a caller's contents mean."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.conversation import (
    Document,
    Image,
    Message,
    Part,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Unknown,
)
from monkey_coder_server.domain.errors import InvalidRequest
from packages.server.tests.dialects.conversations import PDF, PNG
from packages.server.tests.dialects.gemini.reading import HELLO, asked, conversation, inbound, turn

SKIP = "skip_thought_signature_validator"


def said(*parts: Any) -> tuple[Part, ...]:
    """The parts of a model's turn."""
    return conversation(turn("user", {"text": "?"}), turn("model", *parts)).messages[1].parts


def call(name: str = "now", **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": {}, **more}}


def returned(name: str = "now", response: Any = None, **more: Any) -> dict[str, Any]:
    return {"functionResponse": {"name": name, "response": {"output": "ok"} if response is None else response, **more}}


def test_turns_in_order_with_the_instruction_first() -> None:
    request = inbound(
        {
            "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}, {"text": ""}, {"text": "Be kind."}]},
            "contents": [turn("user", {"text": "Hi"}), turn("model", {"text": "Hello"}), turn("user", {"text": "?"})],
        }
    ).request
    assert request.messages == (
        Message(Role.SYSTEM, (Text("Be brief."), Text("Be kind."))),
        Message(Role.USER, (Text("Hi"),)),
        Message(Role.ASSISTANT, (Text("Hello"),)),
        Message(Role.USER, (Text("?"),)),
    )


@pytest.mark.parametrize(
    "instruction",
    [
        "Be brief.",
        {"parts": [{"text": "Be brief."}]},
        {"parts": {"text": "Be brief."}},
        {"parts": ["Be brief."]},
    ],
)
def test_an_instruction_in_every_form_clients_write_it(instruction: Any) -> None:
    for name in ("systemInstruction", "system_instruction"):
        assert asked(**{name: instruction}).messages[0] == Message(Role.SYSTEM, (Text("Be brief."),))


@pytest.mark.parametrize("instruction", ["", None, {}, {"parts": []}, {"parts": [{"text": ""}]}])
def test_an_empty_instruction_is_none(instruction: Any) -> None:
    assert [message.role for message in asked(systemInstruction=instruction).messages] == [Role.USER]


@pytest.mark.parametrize(
    ("role", "meant"),
    [
        ("user", Role.USER),
        ("", Role.USER),
        (None, Role.USER),
        ("model", Role.ASSISTANT),
        ("MODEL", Role.ASSISTANT),
        ("assistant", Role.ASSISTANT),
        ("system", Role.SYSTEM),
        ("developer", Role.DEVELOPER),
    ],
)
def test_roles(role: str | None, meant: Role) -> None:
    assert conversation({"role": role, "parts": [{"text": "x"}]}).messages == (Message(meant, (Text("x"),)),)


def test_one_content_and_one_part_need_no_list() -> None:
    assert inbound({"contents": {"parts": {"text": "Hi"}}}).request.messages == (Message(Role.USER, (Text("Hi"),)),)


def test_a_result_finds_its_call_by_id_whatever_the_order() -> None:
    request = conversation(turn("model", call(id="a"), call(id="b")), turn("user", returned(id="b"), returned(id="a")))
    assert [part.call_id for part in request.messages[1].parts if isinstance(part, ToolResult)] == ["b", "a"]


def test_calls_without_an_id_get_one_and_results_find_them_by_name_and_order() -> None:
    request = conversation(
        turn("model", call("now"), call("read file"), call("now")),
        turn("user", returned("read file"), returned("now"), returned("now")),
        turn("model", call("now")),
        turn("function", returned("now")),
    )
    calls = [part.id for message in request.messages for part in message.parts if isinstance(part, ToolCall)]
    results = [part.call_id for message in request.messages for part in message.parts if isinstance(part, ToolResult)]
    assert calls == ["call_0_now", "call_1_read_file", "call_2_now", "call_3_now"]
    assert results == ["call_1_read_file", "call_0_now", "call_2_now", "call_3_now"]


def test_a_result_whose_id_is_of_no_call_finds_its_call_by_name() -> None:
    request = conversation(turn("model", call()), turn("user", returned(id="made-up")))
    assert request.messages[1].parts[0] == ToolResult("call_0_now", (Text("ok"),), name="now")


def test_a_result_without_a_call_keeps_what_it_says() -> None:
    request = conversation(turn("user", returned("lost", id="x")), turn("user", returned("lost")))
    assert [part.call_id for message in request.messages for part in message.parts] == ["x", "call_0_unknown"]  # type: ignore[union-attr] - both are results


@given(names=st.lists(st.sampled_from(["now", "read", "a" * 200, "größe"]), min_size=1, max_size=8), ids=st.booleans())
def test_ids_are_the_same_each_time_the_conversation_is_sent(names: list[str], ids: bool) -> None:
    contents: list[Any] = []
    earlier: tuple[Message, ...] = ()
    for at, name in enumerate(names):
        given_id = {"id": f"given_{at}"} if ids and at % 2 else {}
        contents += [turn("model", call(name, **given_id)), turn("user", returned(name, **given_id))]
        messages = conversation(*contents).messages
        assert messages[: len(earlier)] == earlier
        asking, answer = messages[-2].parts[0], messages[-1].parts[0]
        assert isinstance(asking, ToolCall)
        assert isinstance(answer, ToolResult)
        assert asking.id == answer.call_id
        assert len(asking.id) <= 64
        assert asking.id.replace("-", "_").isidentifier()
        assert asking.id.isascii()
        earlier = messages


@pytest.mark.parametrize(
    ("response", "text", "failed"),
    [
        ({"output": "rain"}, "rain", False),
        ({"result": "rain"}, "rain", False),
        ({"name": "now", "content": "rain"}, "rain", False),
        ({"output": {"sky": "grey"}}, '{"sky":"grey"}', False),
        ({"error": "no sky"}, "no sky", True),
        ({"error": {"code": 5}}, '{"code":5}', True),
        ({"sky": "grey"}, '{"sky":"grey"}', False),
        ({"output": "a", "error": "b"}, '{"output":"a","error":"b"}', False),
        ({"name": "other", "content": "x"}, '{"name":"other","content":"x"}', False),
        ("rain", "rain", False),
        ([1], "[1]", False),
        ({}, None, False),
    ],
)
def test_what_a_function_returned(response: Any, text: str | None, failed: bool) -> None:
    request = conversation(turn("model", call(id="a")), turn("user", returned("now", response, id="a")))
    parts = () if text is None else (Text(text),)
    assert request.messages[1] == Message(Role.TOOL, (ToolResult("a", parts, name="now", is_error=failed),))


def test_a_result_may_hold_files() -> None:
    media = [{"inlineData": {"mimeType": "image/png", "data": PNG}}, {"text": "no file"}]
    request = conversation(turn("model", call(id="a")), turn("user", returned(id="a", parts=media)))
    assert request.messages[1].parts == (
        ToolResult("a", (Text("ok"), Image(data=PNG, media_type="image/png")), name="now"),
    )


def test_results_and_words_of_one_turn_become_two_messages_results_first() -> None:
    request = conversation(turn("model", call(id="a")), turn("user", {"text": "Quick!"}, returned(id="a")))
    assert [(message.role, len(message.parts)) for message in request.messages] == [
        (Role.ASSISTANT, 1),
        (Role.TOOL, 1),
        (Role.USER, 1),
    ]


@pytest.mark.parametrize("spelling", ["camel", "snake"])
@pytest.mark.parametrize(
    ("part", "meant"),
    [
        ({"inlineData": {"mimeType": "image/png", "data": PNG}}, Image(data=PNG, media_type="image/png")),
        (
            {"inlineData": {"mimeType": "application/pdf", "data": PDF, "displayName": "a.pdf"}},
            Document(name="a.pdf", data=PDF, media_type="application/pdf"),
        ),
        ({"inlineData": {"data": PDF}}, Document(data=PDF)),
        (
            {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://a.example/x.jpg"}},
            Image(url="https://a.example/x.jpg", media_type="image/jpeg"),
        ),
        (
            {"fileData": {"fileUri": "https://a.example/x", "displayName": "x"}},
            Document(name="x", url="https://a.example/x"),
        ),
        (
            {"fileData": {"mimeType": "image/png", "fileUri": "gs://bucket/x.png"}},
            Document(file_id="gs://bucket/x.png", media_type="image/png"),
        ),
    ],
)
def test_files(part: dict[str, dict[str, str]], meant: Part, spelling: str) -> None:
    snake = {"inlineData": "inline_data", "fileData": "file_data", "mimeType": "mime_type", "fileUri": "file_uri"}
    snake["displayName"] = "display_name"
    given_part: Any = part
    if spelling == "snake":
        given_part = {
            snake[name]: {snake.get(key, key): value for key, value in inner.items()} for name, inner in part.items()
        }
    assert conversation(turn("user", given_part)).messages == (Message(Role.USER, (meant,)),)


def test_what_google_ran_itself_is_kept_for_google_alone() -> None:
    part = {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "sig"}
    assert said(part) == (Unknown("gemini", part), Thinking("", "sig", origin="google"))


def test_pieces_of_a_thought_are_one_thought_and_its_proof_closes_it() -> None:
    thought = [{"text": "I ", "thought": True}, {"text": "think", "thought": True}]
    assert said(*thought, {"text": "Hi"}) == (Thinking("I think"), Text("Hi"))
    signed = {"text": "", "thought": True, "thoughtSignature": "sig"}
    assert said(*thought, signed, {"text": "Hi"}) == (Thinking("I think", "sig", origin="google"), Text("Hi"))
    assert said(*thought) == (Thinking("I think"),)


def test_a_turn_that_says_nothing_is_left_out() -> None:
    contents = [turn("user", {"text": "?"}), turn("model", {"text": "", "thought": True}), turn("user", {"text": ""})]
    assert conversation(*contents, {"role": "model"}).messages == (Message(Role.USER, (Text("?"),)),)


def test_a_proof_beside_text_follows_it() -> None:
    assert said({"text": "Hi", "thoughtSignature": "sig"}) == (Text("Hi"), Thinking("", "sig", origin="google"))
    assert said({"text": "", "thoughtSignature": "sig"}) == (Thinking("", "sig", origin="google"),)


def test_a_call_keeps_its_own_proof() -> None:
    assert said({**call(id="a"), "thoughtSignature": "sig"}) == (
        ToolCall("a", "now", "{}", signature="sig", origin="google"),
    )


@pytest.mark.parametrize(
    "word",
    [
        SKIP,
        "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=",
        "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I",
        "context_engineering_is_the_way_to_go",
        "",
    ],
)
def test_words_that_stand_for_a_proof_are_none(word: str) -> None:
    assert said({**call(id="a"), "thoughtSignature": word}) == (ToolCall("a", "now", "{}"),)


def test_arguments_are_kept_as_they_are() -> None:
    args = {"snake_case": 1, "camelCase": {"b": None, "a": [1.5, "é"]}}
    assert said(call(id="a", args=args)) == (
        ToolCall("a", "now", '{"snake_case":1,"camelCase":{"b":null,"a":[1.5,"é"]}}'),
    )
    assert said({"functionCall": {"id": "a", "name": "now"}}) == (ToolCall("a", "now", "{}"),)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "The body is not JSON"),
        (b"[]", "The body must be one JSON object"),
        ({"contents": "Hi"}, "`contents`"),
        ({"contents": ["Hi"]}, "`contents[0]`"),
        ({"contents": [{"role": "narrator", "parts": []}]}, "`contents[0].role`"),
        ({"contents": [{"role": 5}]}, "`contents[0].role`"),
        ({"contents": [{"parts": "Hi"}]}, "`contents[0].parts`"),
        ({"contents": [{"parts": [5]}]}, "`contents[0].parts[0]`"),
        ({"contents": [{"parts": [{"text": 5}]}]}, "`contents[0].parts[0].text`"),
        ({"contents": [{"parts": [{"thought": "yes", "text": ""}]}]}, "`contents[0].parts[0].thought`"),
        ({"contents": [{"parts": [{"functionCall": {"name": 1}}]}]}, "`contents[0].parts[0].functionCall.name`"),
        ({"contents": [{"parts": [{"inlineData": []}]}]}, "`contents[0].parts[0].inlineData`"),
        (
            {"contents": [{"parts": [{"inlineData": {"mimeType": 1}}]}]},
            "`contents[0].parts[0].inlineData.mimeType`",
        ),
        ({**HELLO, "systemInstruction": 7}, "`systemInstruction`"),
        ({**HELLO, "generationConfig": {}, "generation_config": {}}, "`generationConfig` twice"),
        ({**HELLO, "cachedContent": "cachedContents/1"}, "`cachedContent`"),
    ],
)
def test_what_cannot_be_read_is_named_in_a_sentence(body: Any, named: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        inbound(body)
    assert named in refused.value.message
    assert refused.value.message.endswith((".", "`contents`."))
