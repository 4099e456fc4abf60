"""Reads a chat completions request as callers write it (`POST /v1/chat/completions`).

Read leniently: what is not known here is kept for a provider of the same dialect, which may know.
"""

from monkey_coder_server.dialects.fields import Fields, body_fields
from monkey_coder_server.dialects.openai_chat.glance import glance
from monkey_coder_server.dialects.openai_chat.inbound_messages import read_messages
from monkey_coder_server.dialects.openai_chat.inbound_tools import Offered, read_offered
from monkey_coder_server.dialects.openai_chat.messages import DIALECT
from monkey_coder_server.dialects.openai_chat.policy import has_other_prices, says_something
from monkey_coder_server.domain.conversation import Json, ModelRequest, OutputFormat, Reasoning, Sampling, Source
from monkey_coder_server.ports.front import Inbound
from monkey_coder_server.ports.record import Record

_READ = frozenset(
    {
        "model",
        "messages",
        "stream",
        "stream_options",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "functions",
        "function_call",
        "temperature",
        "top_p",
        "top_k",
        "presence_penalty",
        "frequency_penalty",
        "seed",
        "stop",
        "max_tokens",
        "max_completion_tokens",
        "response_format",
        "reasoning_effort",
        "reasoning",
        "thinking",
        "user",
        "n",
    }
)


class Form(Record, frozen=True, kw_only=True):
    """What an answer's writer must know of its request.

    `include_usage`: a stream is to end with its usage. `free_form`: names of tools that are called with plain text.
    `functions`: tools were offered, and are to be called, in the words that came before `tools`.
    """

    include_usage: bool = False
    free_form: frozenset[str] = frozenset()
    functions: bool = False


_PLAIN = Form()


def read_request(body: bytes) -> Inbound:
    """Read a request. Raises `InvalidRequest` with a sentence that names the field."""
    usual = glance(body)
    if usual is None:
        return _read_thoroughly(body)
    return Inbound(request=usual.request(body), model=usual.model, stream=usual.stream is True, form=_PLAIN)


def _read_thoroughly(body: bytes) -> Inbound:
    fields = body_fields(body)
    lost: dict[str, None] = {}
    offered = read_offered(fields, lost)
    messages = read_messages(fields, lost)
    extra = {name: value for name, value in fields.raw.items() if name not in _READ}
    if extra:
        lost |= {name: None for name, value in extra.items() if says_something(name, value) and _asks(name, value)}
    one_answer(fields)
    _refuse_sound(fields)
    request = ModelRequest(
        messages=messages,
        tools=offered.tools,
        tool_choice=offered.choice,
        sampling=read_sampling(fields),
        reasoning=_reasoning(fields),
        output=_output(fields, lost),
        user=fields.text("user"),
        dialect=DIALECT,
        extra=extra,
        source=None if offered.as_functions else Source(DIALECT, body),
    )
    return Inbound(
        request=request,
        model=fields.text("model"),
        stream=fields.flag("stream") or False,
        form=_form(fields, offered),
        lost=tuple(lost),
    )


def read_sampling(fields: Fields) -> Sampling:
    """The decoding parameters."""
    newer, older = fields.whole("max_completion_tokens", least=1), fields.whole("max_tokens", least=1)
    return Sampling(
        max_tokens=older if newer is None else newer,
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.whole("top_k"),
        seed=fields.whole("seed"),
        stop=fields.texts("stop"),
        presence_penalty=fields.number("presence_penalty"),
        frequency_penalty=fields.number("frequency_penalty"),
    )


def include_usage(fields: Fields) -> bool:
    """Whether a stream is to end with its usage."""
    options = fields.object("stream_options")
    return options is not None and options.flag("include_usage") is True


def one_answer(fields: Fields) -> None:
    """Refuse to answer more than once: what a request may cost is reckoned for one answer."""
    if fields.whole("n") not in {None, 1}:
        fields.refuse("n", "must be 1: this gateway gives one answer a request; ask again for another")


def _asks(name: str, value: Json) -> bool:
    """Whether a field asks for anything but what everyone gets."""
    return name != "service_tier" or has_other_prices(name, value)


def _refuse_sound(fields: Fields) -> None:
    if "audio" in fields.texts("modalities") or fields.raw.get("audio") is not None:
        fields.refuse("modalities", "must not hold audio: this gateway serves text")


def _form(fields: Fields, offered: Offered) -> Form:
    return Form(
        include_usage=include_usage(fields),
        free_form=frozenset(tool.name for tool in offered.tools if tool.schema is None and tool.server is None),
        functions=offered.as_functions,
    )


def _reasoning(fields: Fields) -> Reasoning | None:
    """How much to think: OpenAI's `reasoning_effort`, or the `reasoning` and `thinking` objects of other servers."""
    effort = fields.text("reasoning_effort")
    wished, switched = fields.object("reasoning"), fields.object("thinking")
    enabled, budget, shown = True, None, True
    if wished is not None:
        effort = effort or wished.text("effort")
        budget = wished.whole("max_tokens", least=0)
        enabled = wished.flag("enabled") is not False
        shown = wished.flag("exclude") is not True
    if switched is not None:
        enabled = switched.text("type") != "disabled"
        budget = switched.whole("budget_tokens", least=0)
    if effort is None and wished is None and switched is None:
        return None
    if effort == "none":
        enabled, effort = False, None
    return Reasoning(enabled=enabled, effort=effort, budget_tokens=budget, include_text=shown)


def _output(fields: Fields, lost: dict[str, None]) -> OutputFormat | None:
    wanted = fields.object("response_format")
    if wanted is None:
        return None
    match wanted.text("type"):
        case "text":
            return None
        case "json_object":
            return OutputFormat("json")
        case "json_schema":
            described = wanted.object("json_schema")
            schema = None if described is None else described.object("schema")
            if described is None or schema is None:
                wanted.refuse("json_schema.schema", "is missing")
            name, strict = described.text("name") or "answer", described.flag("strict")
            return OutputFormat("json_schema", schema.raw, name, strict)
        case other:
            lost[f"response_format.{other}"] = None
            return None
