"""When the gateway marks what a provider is to keep of a prompt."""

import pytest

from monkey_coder_server.domain.conversation import (
    CacheHint,
    Document,
    Image,
    Message,
    ModelRequest,
    Part,
    Refusal,
    Role,
    Source,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
)
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.pricing import Rates
from monkey_coder_server.domain.prompt_cache import PromptCaching, goes_on, is_marked, pays, read_caching

HINT = CacheHint()
HELLO = Message(Role.USER, (Text("hello"),))


def request(*parts: Part, tools: tuple[Tool, ...] = (), source: Source | None = None) -> ModelRequest:
    return ModelRequest((HELLO, Message(Role.USER, parts)), tools=tools, source=source)


@pytest.mark.parametrize(
    ("header", "meant"),
    [(None, PromptCaching.AUTO), ("auto", PromptCaching.AUTO), (" ON ", PromptCaching.ON), ("off", PromptCaching.OFF)],
)
def test_what_the_header_means(header: str | None, meant: PromptCaching) -> None:
    assert read_caching(header) is meant


def test_a_word_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="must be one of auto, on, off; 'yes' was sent"):
        read_caching("yes")


@pytest.mark.parametrize(
    ("read", "write", "paid"),
    [
        (10, 125, True),  # Anthropic's shares of the price of input
        (None, None, False),  # a price list that knows of no cache: nothing is spared
        (50, 125, False),  # half for nothing, or a half less for a quarter more
        (49, 125, True),
        (10, 145, False),
        (10, 200, False),
    ],
)
def test_it_pays_where_every_other_prompt_that_comes_again_makes_up_for_what_is_written(
    read: int | None, write: int | None, *, paid: bool
) -> None:
    rates = Rates.of(input=100, output=500, cache_read=read, cache_write_5m=write)
    assert pays(rates) is paid
    twice_marked = 2 * rates.cache_write_5m + rates.cache_read
    twice_plain = 3 * rates.input
    assert paid is (twice_marked < twice_plain), "two that are written and one of them read again"


def test_a_conversation_goes_on_once_it_was_answered() -> None:
    assert not goes_on(ModelRequest((HELLO,)))
    assert goes_on(ModelRequest((HELLO, Message(Role.ASSISTANT, (Text("hi"),)), HELLO)))


@pytest.mark.parametrize(
    "part",
    [
        Text("a", HINT),
        Image(url="https://pictures.example/a.png", cache=HINT),
        Document(text="a", cache=HINT),
        ToolCall("c", "read", "{}", cache=HINT),
        ToolResult("c", (), cache=HINT),
        ToolResult("c", (Text("a", HINT),)),
    ],
)
def test_a_mark_of_the_callers_is_seen_wherever_it_is(part: Part) -> None:
    assert is_marked(request(part))


def test_a_marked_tool_is_seen() -> None:
    assert is_marked(request(tools=(Tool("read", cache=HINT),)))


@pytest.mark.parametrize(
    "part",
    [Text("a"), ToolResult("c", (Text("a"),)), ToolCall("c", "read", "{}"), Thinking("hm"), Refusal("no"), Image()],
)
def test_a_part_without_one_is_none(part: Part) -> None:
    assert not is_marked(request(part, tools=(Tool("read"),)))


@pytest.mark.parametrize(
    ("body", "marked"),
    [
        (b'{"cache_control": {"type": "ephemeral"}, "messages": []}', True),
        (b'{"messages": [{"role": "user", "content": "put \\"cache_control\\" there"}]}', False),
    ],
)
def test_it_is_seen_in_the_callers_own_body_but_not_in_words_about_it(body: bytes, *, marked: bool) -> None:
    assert is_marked(request(source=Source("anthropic-messages", body))) is marked
