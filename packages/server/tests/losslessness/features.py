"""What a request can hold, one thing at a time, in the neutral conversation's words."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from monkey_coder_server.domain.conversation import (
    CacheHint,
    Citation,
    Document,
    Grammar,
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
)
from packages.server.tests.dialects.conversations import PDF, PNG, WEATHER, assistant, result, system, user

CALL = ToolCall("call_1", "get_weather", '{"city":"Ulm"}')
TIME = replace(WEATHER, name="get_time", description="The time in a city.")
PATCH = Tool("apply_patch", "Applies a patch.", grammar=Grammar("lark", "start: /.+/"))
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
HELLO = user("Hi")


def _asks(*messages: Message, **more: Any) -> ModelRequest:
    return ModelRequest(messages=messages or (HELLO,), **more)


def _after_a_call(*parts: Part, call: ToolCall = CALL, before: tuple[Part, ...] = (), **more: Any) -> ModelRequest:
    """A turn in which a tool was called, and its result."""
    returned = result(call.id, *(parts or (Text("sunny"),)), **more)
    return ModelRequest(messages=(HELLO, assistant(*before, call), returned), tools=(WEATHER,))


def _sampled(**more: Any) -> ModelRequest:
    return _asks(sampling=Sampling(**more))


def _chosen(**more: Any) -> ModelRequest:
    return _asks(tools=(WEATHER, TIME), tool_choice=ToolChoice(**more))


Feature = Callable[[str], ModelRequest]
"""The request, for a provider whose own signatures are good there."""


def _same(request: ModelRequest) -> Feature:
    return lambda _home: request


FEATURES: Mapping[str, Feature] = {
    "instructions": _same(_asks(system("Be brief."), HELLO)),
    "a developer's instructions": _same(_asks(Message(Role.DEVELOPER, (Text("Be brief."),)), HELLO)),
    "instructions in mid-conversation": _same(_asks(HELLO, assistant("Ho"), user("More"), system("Now be brief."))),
    "a picture, inline": _same(_asks(user("Look", Image(data=PNG, media_type="image/png")))),
    "a picture by its address": _same(_asks(user("Look", Image(url="https://example.com/a.png")))),
    "how closely to look at it": _same(_asks(user("Look", Image(url="https://example.com/a.png", detail="low")))),
    "a PDF, inline": _same(_asks(user("Read", Document(name="a.pdf", data=PDF, media_type="application/pdf")))),
    "a PDF by its address": _same(_asks(user("Read", Document(url="https://example.com/a.pdf")))),
    "a text document": _same(_asks(user("Read", Document(name="a.txt", text="Hello", media_type="text/plain")))),
    "who of the users speaks": _same(_asks(Message(Role.USER, (Text("Hi"),), name="ada"))),
    "a prefix worth caching": _same(_asks(user(Text("Long", cache=CacheHint("1h")), "Hi"))),
    "a tool": _same(_asks(tools=(WEATHER,))),
    "a strict tool": _same(_asks(tools=(replace(WEATHER, schema=SCHEMA, strict=True),))),
    "a free-form tool with a grammar": _same(_asks(tools=(PATCH,))),
    "a tool that must be called": _same(_chosen(mode="named", name="get_time")),
    "any tool must be called": _same(_chosen(mode="required")),
    "no tool may be called": _same(_chosen(mode="none")),
    "one call at a time": _same(_chosen(parallel=False)),
    "a call and its result": _same(_after_a_call()),
    "a call without arguments": _same(_after_a_call(call=replace(CALL, arguments="{}"))),
    "a free-form call": _same(
        replace(_after_a_call(call=ToolCall("call_1", "apply_patch", "*** Begin", custom=True)), tools=(PATCH,))
    ),
    "a result that is an error": _same(_after_a_call(Text("no such city"), is_error=True)),
    "a picture in a result": _same(_after_a_call(Text("look"), Image(data=PNG, media_type="image/png"))),
    "a PDF in a result": _same(_after_a_call(Document(name="a.pdf", data=PDF, media_type="application/pdf"))),
    "signed thinking of the provider's own": lambda home: _after_a_call(
        before=(Thinking("hm", signature="c2lnbmVk", origin=home),)
    ),
    "hidden thinking of the provider's own": lambda home: _after_a_call(
        before=(Thinking("", redacted="aGlkZGVu", origin=home),)
    ),
    "thinking of another provider": _same(_after_a_call(before=(Thinking("hm", signature="eA==", origin="moonshot"),))),
    "a refusal in the history": _same(_asks(HELLO, assistant(Refusal("I won't.")), user("Please"))),
    "sources in the history": _same(
        _asks(HELLO, assistant(Text("So", citations=(Citation("https://example.com", "A"),))), user("More"))
    ),
    "the longest answer": _same(_sampled(max_tokens=777)),
    "temperature": _same(_sampled(temperature=0.5)),
    "top_p": _same(_sampled(top_p=0.5)),
    "top_k": _same(_sampled(top_k=5)),
    "a seed": _same(_sampled(seed=7)),
    "stop sequences": _same(_sampled(stop=("END",))),
    "penalties": _same(_sampled(presence_penalty=0.5, frequency_penalty=0.5)),
    "how much to think, in a word": _same(_asks(reasoning=Reasoning(effort="high"))),
    "how much to think, in tokens": _same(_asks(reasoning=Reasoning(budget_tokens=2_000))),
    "no thinking": _same(_asks(reasoning=Reasoning(enabled=False))),
    "an answer in JSON": _same(_asks(user("Answer in JSON."), output=OutputFormat("json"))),
    "an answer by a schema": _same(_asks(output=OutputFormat("json_schema", SCHEMA, strict=True))),
    "an id of the end user": _same(_asks(user="u-17")),
}
