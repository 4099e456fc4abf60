"""What is set aside bounds what is charged; a short wallet gets a shorter answer, a cheaper model or a refusal."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.domain.money import parse_usd, usd
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import FACTS, Gateway
from packages.server.tests.features.inference.world import Script

BIG, SMALL = "openai/gpt-big", "openai/gpt-small"


def everything_answers(gateway: Gateway) -> None:
    for provider, script in (("openai", wires.openai()), ("anthropic", wires.anthropic()), ("google", wires.gemini())):
        gateway.wire.play(provider, script)


async def test_a_limit_left_open_is_lowered_to_what_the_wallet_covers() -> None:
    gateway = Gateway(balance=50_000_000)
    everything_answers(gateway)
    answer = await gateway.ask(model=BIG)
    assert answer.status == 200, answer.body
    limit = gateway.wire.sent[0][2]["max_tokens"]
    assert 256 <= limit < 4096
    assert answer.json["result"]["metadata"]["max_tokens"] == limit
    assert parse_usd(answer.json["result"]["metadata"]["held_usd"]) <= 50_000_000


@pytest.mark.parametrize(("reasons", "limit"), [(False, 4_096), (True, 16_384)])
async def test_an_open_limit_leaves_room_for_thought(reasons: bool, limit: int) -> None:
    gateway = Gateway(capabilities=FACTS | {Capability.REASONING} if reasons else FACTS)
    everything_answers(gateway)
    answer = await gateway.ask(model=BIG)
    assert answer.json["result"]["metadata"]["max_tokens"] == limit


async def test_a_limit_the_caller_gave_is_never_lowered() -> None:
    gateway = Gateway(balance=50_000_000)
    everything_answers(gateway)
    answer = await gateway.ask(model=BIG, context={"max_tokens": 4096})
    assert answer.status == 402
    assert answer.json["error_code"] == "insufficient_credit"
    assert not gateway.wire.sent


async def test_a_small_limit_the_caller_gave_is_admitted_on_a_small_wallet() -> None:
    gateway = Gateway(balance=50_000_000)
    everything_answers(gateway)
    assert (await gateway.ask(model=BIG, context={"max_tokens": 20})).status == 200


async def test_no_credit_is_refused_with_balance_need_and_where_to_top_up() -> None:
    gateway = Gateway(balance=1_000)
    everything_answers(gateway)
    answer = await gateway.ask()
    assert answer.status == 402
    assert answer.headers["x-should-retry"] == "false"
    body = answer.json
    assert body["error_code"] == "insufficient_credit"
    assert body["balance_usd"] == "0.000001"
    assert body["top_up_url"] == "https://gateway.example/billing"
    assert body["top_up_url"] in body["detail"]
    assert "USD" in body["detail"]
    assert not gateway.wire.sent
    assert gateway.notes.records[0].status == "insufficient_credit"


async def test_a_cheaper_candidate_is_preferred_over_a_refusal() -> None:
    gateway = Gateway(balance=25_000_000)
    everything_answers(gateway)
    answer = await gateway.ask(model="auto:best", context={"max_tokens": 4096})
    assert answer.status == 200, answer.body
    assert gateway.wire.sent[0][2]["model"] == "gpt-small"


async def test_max_cost_chooses_a_route_below_it() -> None:
    gateway = Gateway()
    everything_answers(gateway)
    answer = await gateway.ask(model="auto:best", context={"max_tokens": 4096}, max_cost="0.025")
    assert answer.status == 200
    assert gateway.wire.sent[0][2]["model"] == "gpt-small"
    (request,) = [settlement for settlement, _ in gateway.books.settled.values()]
    assert request.price <= 25_000_000


async def test_max_cost_below_every_route_is_a_budget_refusal() -> None:
    gateway = Gateway()
    everything_answers(gateway)
    answer = await gateway.ask(max_cost="0.000001")
    assert answer.status == 402
    assert answer.json["error_code"] == "budget_exceeded"
    assert answer.json["limit_usd"] == "0.000001"
    assert not gateway.books.events


async def test_a_keys_cap_reroutes_and_then_refuses() -> None:
    gateway = Gateway(cap=25_000_000)
    everything_answers(gateway)
    assert (await gateway.ask(model="auto:best", context={"max_tokens": 4096})).status == 200
    assert gateway.wire.sent[0][2]["model"] == "gpt-small"
    refused = await gateway.ask(model=BIG, context={"max_tokens": 4096})
    assert refused.status == 402
    assert refused.json["error_code"] == "budget_exceeded"
    assert "key day cap" in refused.json["message"]


async def test_missing_usage_is_estimated_and_says_so() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai(usage=False))
    answer = await gateway.ask(model=BIG)
    assert answer.json["result"]["metadata"]["tokens"]["estimated"] is True
    ((settlement, charge),) = gateway.books.settled.values()
    assert settlement.usage.output > 0
    assert charge.charged > 0


@pytest.mark.parametrize("wire", [wires.openai, wires.openai_stream], ids=["whole", "streamed"])
async def test_a_report_of_no_tokens_at_all_for_an_answer_is_not_believed(wire: Callable[..., Script]) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wire(prompt=0, output=0))
    path = "/v1/execute/stream" if wire is wires.openai_stream else "/v1/execute"
    assert (await gateway.ask(path, model=BIG)).status == 200
    await gateway.settle_down()
    ((settlement, charge),) = gateway.books.settled.values()
    assert settlement.usage.estimated
    assert charge.charged > 0


async def test_a_report_beyond_the_hold_is_charged_at_the_hold() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai(output=9_000))
    answer = await gateway.ask(model=BIG, context={"max_tokens": 100})
    ((settlement, charge),) = gateway.books.settled.values()
    held = parse_usd(answer.json["result"]["metadata"]["held_usd"])
    assert charge.charged == held < settlement.price
    assert charge.loss == settlement.price - held
    assert gateway.notes.records[0].loss == charge.loss


async def test_a_provider_that_ignores_the_limit_is_stopped_softly() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai_stream("y" * 40_000, step=500))
    answer = await gateway.stream(model=BIG, context={"max_tokens": 10})
    last = answer.frames[-1]
    assert last["type"] == "complete"
    assert last["data"]["status"] == "completed"
    assert last["data"]["result"]["metadata"]["finish_reason"] == "length"
    assert len(answer.text) < 40_000
    assert gateway.wire.replies[0].closed


@settings(max_examples=60, deadline=None)
@given(
    prompt=st.text(min_size=1, max_size=300).filter(lambda text: bool(text.strip())),
    share=st.floats(0, 1),
    limit=st.integers(1, 5_000),
    model=st.sampled_from([BIG, SMALL, "auto", "auto:cheap", "auto:best"]),
)
async def test_no_honest_usage_costs_more_than_was_held(prompt: str, share: float, limit: int, model: str) -> None:
    """Honest: at most a token a byte of the prompt sent, at most the limit of output."""
    gateway = Gateway()
    everything_answers(gateway)
    for provider in ("openai", "anthropic", "google"):
        sized = {"openai": wires.openai, "anthropic": wires.anthropic, "google": wires.gemini}[provider]
        gateway.wire.play(provider, sized(prompt=1, output=1))
    await gateway.ask(model=model, prompt=prompt, context={"max_tokens": limit})
    _, _, body, _ = gateway.wire.sent[0]
    sent = str(body.get("messages", body.get("contents"))) + str(body.get("system", body.get("systemInstruction", "")))
    most = len(sent.encode()) - 200
    honest = max(1, int(most * share))
    provider = gateway.wire.sent[0][0]
    for name, sized in (("openai", wires.openai), ("anthropic", wires.anthropic), ("google", wires.gemini)):
        gateway.wire.play(name, sized(prompt=honest, output=limit))
    answer = await gateway.ask(model=model, prompt=prompt, context={"max_tokens": limit})
    assert answer.status == 200
    assert gateway.wire.sent[1][0] == provider
    settlement, charge = list(gateway.books.settled.values())[1]
    assert charge.loss == 0
    assert charge.charged == settlement.price


@pytest.mark.parametrize("model", [BIG, SMALL])
async def test_the_balance_told_is_the_balance_kept(model: str) -> None:
    gateway = Gateway()
    everything_answers(gateway)
    answer = await gateway.ask(model=model)
    assert answer.json["result"]["metadata"]["balance_usd"] == usd(gateway.books.balance)
