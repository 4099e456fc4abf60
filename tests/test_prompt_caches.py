"""What the caches of providers spare: an agent of twenty turns over the simulators, with marks of ours and without."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import anthropic
import openai
import pytest

from tests.conftest import SUMMARY, RunningGateway, running_gateway
from tests.contract_http import Outsider

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("prompt caches")]

TURNS = 20
MODEL = "claude-opus-4-8"
OFF = {"x-monkey-prompt-cache": "off"}
RULES = "Keep to the rules of this house, and say which of them you keep to. " * 180
"""About 3,000 tokens."""
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
FILE = "def add(left: int, right: int) -> int:\n    return left + right\n" * 24
"""About 400 tokens, as a tool gives them."""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningGateway]:
    """One of its own: what is cached by others is no part of the figures."""
    with running_gateway(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="module")
def claude(gateway: RunningGateway) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway.base_url, api_key=gateway.api_key, max_retries=0) as made:
        yield made


@pytest.fixture(scope="module")
def oai(gateway: RunningGateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.base_url}/v1", api_key=gateway.api_key, max_retries=0) as made:
        yield made


def through_messages(claude: anthropic.Anthropic, name: str, turns: int, headers: dict[str, str]) -> list[Decimal]:
    """What each turn of an agent costs that speaks Anthropic's dialect."""
    said: list[Any] = [{"role": "user", "content": f"{name}: find the function that adds."}]
    costs = []
    for turn in range(turns):
        raw = claude.messages.with_raw_response.create(
            model=MODEL,
            max_tokens=300,
            system=RULES,
            tools=[{"name": "read_file", "description": "Reads a file.", "input_schema": SCHEMA}],
            messages=said,
            extra_headers=headers,
        )
        assert raw.parse().usage.output_tokens
        costs.append(Decimal(raw.headers["x-monkey-cost"]))
        call = {"type": "tool_use", "id": f"toolu_{turn}", "name": "read_file", "input": {"path": f"{turn}.py"}}
        result = {"type": "tool_result", "tool_use_id": f"toolu_{turn}", "content": f"# {turn}.py\n{FILE}"}
        said += [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]
    return costs


def through_chat(oai: openai.OpenAI, name: str, turns: int, headers: dict[str, str]) -> list[Decimal]:
    """The same in OpenAI's dialect."""
    said: list[Any] = [
        {"role": "system", "content": RULES},
        {"role": "user", "content": f"{name}: find the function that adds."},
    ]
    tool: Any = {"type": "function", "function": {"name": "read_file", "parameters": SCHEMA}}
    costs = []
    for turn in range(turns):
        raw = oai.chat.completions.with_raw_response.create(
            model=MODEL, max_tokens=300, messages=said, tools=[tool], extra_headers=headers
        )
        answer = raw.parse()
        assert answer.usage is not None
        costs.append(Decimal(raw.headers["x-monkey-cost"]))
        called = {"name": "read_file", "arguments": f'{{"path": "{turn}.py"}}'}
        call = {"id": f"call_{turn}", "type": "function", "function": called}
        said += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"call_{turn}", "content": f"# {turn}.py\n{FILE}"},
        ]
    return costs


def table(dialect: str, without: list[Decimal], marked: list[Decimal]) -> str:
    lines = [f"{dialect}: {TURNS} turns of {MODEL}, USD without marks and with them"]
    lines += [f"  turn {turn:2}  {without[turn - 1]:.6f}  {marked[turn - 1]:.6f}" for turn in (1, 2, 3, 10, 20)]
    share = 100 * sum(marked) / sum(without)
    return "\n".join([*lines, f"  together {sum(without):.6f}  {sum(marked):.6f}  ({share:.1f} %)"])


def test_an_agent_of_twenty_turns_costs_less_than_half_in_anthropics_dialect(
    claude: anthropic.Anthropic, record_property: Callable[[str, str], None]
) -> None:
    without = through_messages(claude, "A", TURNS, OFF)
    marked = through_messages(claude, "A", TURNS, {})
    record_property(SUMMARY, table("messages", without, marked))
    assert marked[0] == without[0], "nothing is known of a first turn"
    assert without[1] < marked[1] < without[1] * Decimal("1.25"), "the second writes what comes again"
    assert all(cheap < dear for cheap, dear in zip(marked[2:], without[2:], strict=True))
    assert sum(marked) < sum(without) / 2


def test_and_in_openais(oai: openai.OpenAI, record_property: Callable[[str, str], None]) -> None:
    without = through_chat(oai, "B", TURNS, OFF)
    marked = through_chat(oai, "B", TURNS, {})
    record_property(SUMMARY, table("chat", without, marked))
    assert sum(marked) < sum(without) / 2


def asked(claude: anthropic.Anthropic, prompt: str, system: str, **headers: str) -> tuple[anthropic.types.Usage, str]:
    """What one request used, and its receipt."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    raw = claude.messages.with_raw_response.create(
        model=MODEL,
        max_tokens=50,
        system=system,
        messages=[{"role": "user", "content": prompt}],
        extra_headers=named,
    )
    return raw.parse().usage, raw.headers["x-monkey-receipt"]


def test_what_comes_once_costs_what_it_did(claude: anthropic.Anthropic) -> None:
    usage, _ = asked(claude, "Only this.", f"C. {RULES}")
    assert (usage.cache_creation_input_tokens, usage.cache_read_input_tokens) == (0, 0)


def test_a_beginning_is_written_the_second_time_and_read_the_third(claude: anthropic.Anthropic) -> None:
    used = [asked(claude, f"Question {number}.", f"D. {RULES}")[0] for number in range(3)]
    written = [usage.cache_creation_input_tokens for usage in used]
    read = [usage.cache_read_input_tokens for usage in used]
    assert written[0] == read[0] == read[1] == written[2] == 0
    assert written[1] == read[2]
    assert written[1] is not None
    assert written[1] > 1_024


def test_it_is_written_at_once_where_that_is_asked_for_and_the_hold_covers_it(
    gateway: RunningGateway, claude: anthropic.Anthropic
) -> None:
    usage, receipt = asked(claude, f"Sum this up: {RULES}", "E.", x_monkey_prompt_cache="on")
    assert usage.cache_creation_input_tokens is not None
    assert usage.cache_creation_input_tokens > usage.input_tokens
    told = Outsider(gateway.base_url, gateway.api_key).get(f"/v1/billing/receipts/{receipt}").body
    body = json.loads(told["body"])
    assert 0 < body["charge_nano"] <= body["hold_nano"]
    assert body["cache_saving_nano"] < 0, "writing cost more than it spared so far"


def test_a_header_that_says_nothing_is_refused(claude: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError, match="must be one of auto, on, off"):
        asked(claude, "hello", "F.", x_monkey_prompt_cache="perhaps")
