"""A task goes in, one model answers it in its own wire format, and its exact price is settled."""

from collections.abc import Callable

import pytest

from monkey_coder_protocol.execute import ExecuteResponse
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.features.inference.world import Script

WHOLE: dict[str, Callable[[], Script]] = {
    "openai/gpt-big": wires.openai,
    "anthropic/claude-big": wires.anthropic,
    "google/gemini-big": wires.gemini,
}
STREAMED: dict[str, Callable[[], Script]] = {
    "openai/gpt-big": wires.openai_stream,
    "anthropic/claude-big": wires.anthropic_stream,
    "google/gemini-big": wires.gemini_stream,
}
PRICE = {
    "openai/gpt-big": (100 * 10_000 + 20 * 30_000) * 105 // 100,
    "anthropic/claude-big": (100 * 3_000 + 20 * 15_000) * 105 // 100,
    "google/gemini-big": (100 * 2_000 + 20 * 12_000) * 105 // 100,
}
TWELVE = {
    "execution_id",
    "task_id",
    "status",
    "result",
    "error",
    "created_at",
    "completed_at",
    "usage",
    "execution_time",
    "persona_routing",
    "monkey1_orchestration",
    "orchestration_execution",
}


@pytest.mark.parametrize("model", WHOLE)
async def test_a_whole_answer_has_exactly_twelve_keys_and_its_price(model: str) -> None:
    gateway = Gateway()
    provider = model.partition("/")[0]
    gateway.wire.play(provider, WHOLE[model]())
    answer = await gateway.ask(model=model)
    assert answer.status == 200, answer.body
    assert set(answer.json) == TWELVE == set(ExecuteResponse.__struct_fields__)
    assert answer.json["result"]["result"] == wires.TEXT
    assert answer.json["result"]["artifacts"] == [
        {"name": "app.py", "type": "file", "filename": "app.py", "content": "print('hello')\n", "language": "python"}
    ]
    assert answer.json["result"]["confidence_score"] is None
    assert answer.json["usage"]["tokens_input"] == 100
    assert answer.json["usage"]["tokens_output"] == 20
    settlement, charge = next(iter(gateway.books.settled.values()))
    assert charge.charged == PRICE[model]
    assert settlement.provider_cost == PRICE[model] * 100 // 105
    assert answer.headers["x-monkey-model"] == model.partition("/")[2]
    assert answer.headers["x-monkey-provider"] == provider
    assert answer.headers["x-monkey-receipt"] == charge.receipt_id
    assert answer.json["result"]["metadata"]["cost_usd"] == answer.headers["x-monkey-cost"]


@pytest.mark.parametrize("model", STREAMED)
async def test_a_stream_is_ascii_data_lines_and_ends_with_the_complete_result(model: str) -> None:
    gateway = Gateway()
    gateway.wire.play(model.partition("/")[0], STREAMED[model]())
    answer = await gateway.stream(model=model)
    assert answer.status == 200
    assert answer.complete
    assert answer.body.isascii()
    assert b"[DONE]" not in answer.body
    kinds = [frame["type"] for frame in answer.frames]
    assert kinds[0] == "start"
    assert kinds[-1] == "complete"
    assert kinds.count("complete") == 1
    assert answer.text == wires.TEXT
    last = answer.frames[-1]["data"]
    assert set(last) == TWELVE
    assert last["result"]["result"] == wires.TEXT
    assert next(iter(gateway.books.settled.values()))[1].charged == PRICE[model]
    assert set(answer.frames[0]) <= {"type", "data", "progress", "error"}
    assert answer.headers["x-monkey-provider"] == model.partition("/")[0]


@pytest.mark.parametrize(
    ("path", "order"),
    [
        ("/v1/execute", ["hold", "settle"]),
        ("/v1/execute/stream", ["hold", "durable", "settle"]),
    ],
)
async def test_the_call_is_noted_before_it_is_made_and_durable_before_an_answer_and_settled_before_its_end(
    path: str, order: list[str]
) -> None:
    """What is settled is durable with its hold, so that a whole answer need not wait for both."""
    gateway = Gateway()
    script = wires.openai() if path == "/v1/execute" else wires.openai_stream()
    gateway.wire.play("openai", script)
    seen: list[list[str]] = []
    gateway.wire.before_send = lambda: seen.append([*gateway.books.drafts, *(kind for kind, _ in gateway.books.events)])
    await gateway.ask(path, model="openai/gpt-big")
    ((request_id, _),) = gateway.books.settled.items()
    assert seen == [[request_id, "hold"]]
    assert [kind for kind, _ in gateway.books.events] == order


async def test_every_optional_field_may_be_null_and_unknown_fields_are_passed_over() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    answer = await gateway.ask(
        model="openai/gpt-big",
        task_id=None,
        files=None,
        context={"user_id": "cli-user", "session_id": None, "timeout": None, "max_tokens": None, "temperature": None},
        persona_config={"persona": None, "slash_commands": None, "custom_instructions": None},
        monkey1_config=None,
        orchestration_config=None,
        quantum_config=None,
        preferred_providers=None,
        model_preferences=None,
        max_cost=None,
        quote_id=None,
        model_config={"whatever": 1},
        something_new=[1, 2],
    )
    assert answer.status == 200, answer.body


async def test_files_instructions_temperature_and_limit_reach_the_model() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    await gateway.ask(
        model="openai/gpt-big",
        prompt="explain this",
        files=[{"path": "src/app.py", "content": "SECRET_SAUCE = 1\n"}],
        context={"temperature": 0.7, "max_tokens": 321},
        persona_config={"persona": "reviewer", "custom_instructions": "Answer in Latin."},
    )
    _, url, body, headers = gateway.wire.sent[0]
    assert url == "https://openai.example/chat/completions"
    assert headers["authorization"] == "Bearer sk-openai"
    system, user = (json_text(message["content"]) for message in body["messages"])
    assert "Answer in Latin." in system
    assert "exacting and fair code reviewer" in system
    assert "src/app.py" in user
    assert "SECRET_SAUCE = 1" in user
    assert user.endswith("explain this")
    assert body["temperature"] == 0.7
    assert body["max_tokens"] == 321


def json_text(content: object) -> str:
    if isinstance(content, str):
        return content
    assert isinstance(content, list)
    return "".join(part["text"] for part in content)


@pytest.mark.parametrize("asked", [{"agent_count": 1}, {"execution_branches": 1}])
async def test_asking_for_one_agent_or_one_branch_is_an_ordinary_request(asked: dict[str, int]) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    answer = await gateway.ask(model="openai/gpt-big", orchestration_config=asked)
    ran = answer.json["orchestration_execution"]
    assert ran["mode"] == "single"
    assert ran["branches_run"] == 1
    assert ran["requested"] == {"orchestration_config": asked}


async def test_the_answer_tells_by_which_numbers_its_model_was_chosen() -> None:
    gateway = Gateway()
    for provider, script in (("openai", wires.openai()), ("anthropic", wires.anthropic()), ("google", wires.gemini())):
        gateway.wire.play(provider, script)
    body = (await gateway.ask()).json
    collapse = body["result"]["quantum_collapse_info"]
    assert collapse["collapsed_to"] == collapse["superposition"][0]["model"]
    assert collapse["considered"] == 4
    assert body["persona_routing"]["rank"] == 1
    assert body["persona_routing"]["decided_by"] == "task_type"


async def test_a_telemetry_record_holds_figures_and_no_prompt() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    await gateway.ask(model="openai/gpt-big", prompt="my secret plan")
    (record,) = gateway.notes.records
    assert (record.status, record.input_tokens, record.output_tokens) == ("served", 100, 20)
    assert "secret plan" not in repr(record)
