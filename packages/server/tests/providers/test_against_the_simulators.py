"""Every offered model answers our requests in its provider's wire format, read over real sockets."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules

import pytest

from monkey_coder_server import providers
from monkey_coder_server.adapters.upstream import HttpUpstream, UpstreamLimits
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.conversation import (
    Message,
    ModelRequest,
    Reasoning,
    Role,
    Sampling,
    Text,
    Thinking,
    Tool,
    ToolChoice,
    ToolResult,
)
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.domain.stream_events import Answer, FinishReason
from monkey_coder_server.domain.usage import normalise
from monkey_coder_server.ports.provider import Dialect, Provider
from monkey_coder_server.ports.upstream import Deadlines, UpstreamFailed
from monkey_coder_server.sandbox.server import RunningSandbox, start

pytestmark = pytest.mark.system

OTHER_WORK = {"openai-embeddings", "openai-moderations", "gemini-embeddings", "perplexity-embeddings"}
ALL: list[Provider] = [
    import_module(f"{providers.__name__}.{module.name}").PROVIDER for module in iter_modules(providers.__path__)
]


def _talking(provider: Provider) -> tuple[Dialect, ...]:
    """The formats in which one talks with its models."""
    return tuple(each for each in (provider.dialect, *provider.further_dialects) if each.name not in OTHER_WORK)


def named(targets: Sequence[tuple[Provider, ModelCard, Dialect]]) -> list[str]:
    return [f"{card.name} in {dialect.name}" for _, card, dialect in targets]


SPOKEN = [(provider, dialect) for provider in ALL for dialect in _talking(provider)]
CARDS = [
    (provider, card, dialect)
    for provider, dialect in SPOKEN
    for card in provider.cards
    if dialect.name == provider.spoken_to_in.get(card.model, dialect.name)
]
WITH_TOOLS = [each for each in CARDS if Capability.TOOLS in each[1].capabilities]
IMPATIENT = Deadlines(connect=2.0, first_byte=0.5, idle=0.5, total=3.0)
DEADLINES = Deadlines(connect=2.0, first_byte=5.0, idle=2.0, total=20.0)
WEATHER = Tool("get_weather", "Tells it", {"type": "object", "properties": {"city": {"type": "string"}}})

every_card = pytest.mark.parametrize(("provider", "card", "dialect"), CARDS, ids=named(CARDS))
every_card_with_tools = pytest.mark.parametrize(("provider", "card", "dialect"), WITH_TOOLS, ids=named(WITH_TOOLS))
whole_and_streamed = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture
async def sandbox() -> AsyncIterator[RunningSandbox]:
    running = await start(seed=7)
    yield running
    await running.close()


@pytest.fixture
async def upstream() -> AsyncIterator[HttpUpstream]:
    client = HttpUpstream(UpstreamLimits(body_bytes=1_000_000, stream_bytes=1_000_000))
    yield client
    await client.close()


class Asking:
    """One provider asked over the wire."""

    def __init__(
        self,
        sandbox: RunningSandbox,
        upstream: HttpUpstream,
        provider: Provider,
        card: ModelCard,
        dialect: Dialect | None = None,
    ) -> None:
        self.base_url = sandbox.base_urls[provider.name]
        self.upstream, self.provider, self.card = upstream, provider, card
        self.dialect = dialect or provider.dialect_for(card.model, None)
        self.deadlines = DEADLINES

    async def __call__(self, request: ModelRequest, *, stream: bool, key: str = "test-key") -> Answer | ProviderFailure:
        dialect = self.dialect
        wire = dialect.encode(request, card=self.card, key=key, stream=stream)
        try:
            reply = await self.upstream.send(self.provider.name, self.base_url, wire, self.deadlines)
            if reply.status != 200:
                return dialect.decode_error(reply.status, reply.headers, await reply.read())
            events = []
            if stream:
                decoder = dialect.decoder()
                async for piece in reply.pieces():
                    events += decoder.feed(piece)
                events += decoder.finish()
            else:
                events += dialect.decode(await reply.read())
        except UpstreamFailed as failed:
            return failed.failure
        answer = Answer()
        for event in events:
            answer.apply(event)
        return answer.failure or answer


def asked(text: str, *, tools: tuple[Tool, ...] = (), max_tokens: int = 2_000) -> ModelRequest:
    return ModelRequest(
        (Message(Role.SYSTEM, (Text("You are terse."),)), Message(Role.USER, (Text(text),))),
        tools=tools,
        sampling=Sampling(max_tokens=max_tokens, temperature=0.2, stop=("<END>",)),
        reasoning=Reasoning(effort="low"),
    )


@every_card
@whole_and_streamed
async def test_a_model_answers_and_its_tokens_are_the_ones_the_provider_wrote_down(
    sandbox: RunningSandbox,
    upstream: HttpUpstream,
    provider: Provider,
    card: ModelCard,
    *,
    dialect: Dialect,
    stream: bool,
) -> None:
    answer = await Asking(sandbox, upstream, provider, card, dialect)(
        asked("Write add(a, b) in Python."), stream=stream
    )
    assert isinstance(answer, Answer), answer
    assert "".join(answer.text).strip()
    assert answer.finish is FinishReason.STOP
    assert answer.usage is not None
    usage = normalise(provider.usage_rules.get(dialect.name, provider.usage_rule), answer.usage)
    (entry,) = sandbox.tally.entries
    assert usage.doubts == ()
    assert usage.uncached_input == entry.usage.uncached
    assert usage.cache_read == entry.usage.cache_read
    assert usage.output >= entry.usage.output
    if answer.usage.cost_nano is not None:
        assert answer.usage.cost_nano == entry.cost_nanos


@every_card_with_tools
@whole_and_streamed
async def test_a_model_calls_a_tool_and_takes_its_result(
    sandbox: RunningSandbox,
    upstream: HttpUpstream,
    provider: Provider,
    card: ModelCard,
    *,
    dialect: Dialect,
    stream: bool,
) -> None:
    ask = Asking(sandbox, upstream, provider, card, dialect)
    request = asked('Weather? [[sandbox tool=get_weather args="{\\"city\\": \\"Oslo\\"}"]]', tools=(WEATHER,))
    answer = await ask(request, stream=stream)
    assert isinstance(answer, Answer), answer
    assert [(call.name, call.arguments.replace(" ", "")) for call in answer.calls] == [
        ("get_weather", '{"city":"Oslo"}')
    ]
    assert answer.finish is FinishReason.TOOL_CALLS
    (call,) = answer.calls
    thoughts = tuple(replace(thought, origin=provider.name) for thought in answer.thinking)
    spoken = tuple(part for part in answer.parts() if not isinstance(part, Thinking))
    turns = (
        *request.messages,
        Message(Role.ASSISTANT, (*thoughts, *spoken)),
        Message(Role.TOOL, (ToolResult(call.id, (Text("rain"),), name=call.name),)),
    )
    then = await ask(ModelRequest(turns, tools=(WEATHER,), tool_choice=ToolChoice("auto")), stream=stream)
    assert isinstance(then, Answer), then
    assert then.finish is FinishReason.STOP


FAULTS = {
    "400": {FailureKind.INVALID_REQUEST},
    "401": {FailureKind.AUTHENTICATION},
    "403": {FailureKind.PERMISSION},
    "404": {FailureKind.NOT_FOUND},
    "413": {FailureKind.CONTEXT_TOO_LONG, FailureKind.INVALID_REQUEST},
    "429 retry_after=3": {FailureKind.RATE_LIMIT},
    "quota": {FailureKind.QUOTA, FailureKind.RATE_LIMIT},
    "500": {FailureKind.SERVER_ERROR},
    "502": {FailureKind.SERVER_ERROR},
    "503": {FailureKind.OVERLOADED},
    "529": {FailureKind.OVERLOADED},
    "hang": {FailureKind.TIMEOUT},
    "reset": {FailureKind.CONNECTION},
    "cut": {FailureKind.CUT_SHORT},
    "eof": {FailureKind.CUT_SHORT, FailureKind.MALFORMED},
    "garbage": {FailureKind.MALFORMED, FailureKind.CUT_SHORT},
    "huge": {FailureKind.MALFORMED},
}
"""What the sandbox can be told to do wrong, and what it must be to us."""


@pytest.mark.parametrize(("provider", "dialect"), SPOKEN, ids=lambda each: each.name)
@pytest.mark.parametrize("fault", FAULTS)
@whole_and_streamed
async def test_a_fault_is_of_its_kind(
    sandbox: RunningSandbox,
    upstream: HttpUpstream,
    provider: Provider,
    *,
    dialect: Dialect,
    fault: str,
    stream: bool,
) -> None:
    ask = Asking(sandbox, upstream, provider, provider.cards[-1], dialect)
    if fault == "hang":
        ask.deadlines = IMPATIENT
    failure = await ask(asked(f"Hello [[sandbox fault={fault}]]"), stream=stream)
    assert isinstance(failure, ProviderFailure), failure
    assert failure.kind in FAULTS[fault], failure
    assert failure.message
    if failure.status == 429 and "retry_after" in fault:
        assert failure.retry_after == 3


@pytest.mark.parametrize("provider", ALL, ids=lambda provider: provider.name)
async def test_a_wrong_key_is_told_as_one(sandbox: RunningSandbox, upstream: HttpUpstream, provider: Provider) -> None:
    failure = await Asking(sandbox, upstream, provider, provider.cards[0])(asked("Hi"), stream=False, key="bad-key")
    assert isinstance(failure, ProviderFailure)
    assert failure.kind is FailureKind.AUTHENTICATION
