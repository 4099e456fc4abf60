"""Until the caller has seen something, a failure moves on to the next candidate; after that it ends the stream."""

import asyncio

import pytest

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.features.inference.attempt import AttemptSettings
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.features.inference.world import Script

PATHS = ["/v1/execute", "/v1/execute/stream"]
MOVING_ON = {
    "401": wires.error(401),
    "403": wires.error(403),
    "404": wires.error(404),
    "429": wires.error(429, retry_after="30"),
    "500": wires.error(500),
    "503": wires.error(503),
    "529": wires.error(529),
    "no connection": Script(before=FailureKind.CONNECTION),
    "no answer in time": Script(before=FailureKind.TIMEOUT),
    "cut before content": Script(fails=FailureKind.CUT_SHORT),
    "clean end without an answer": Script(),
    "garbage": Script(pieces=[b"<html>oops</html>"]),
}


def answers(gateway: Gateway, path: str) -> None:
    streamed = path.endswith("stream")
    gateway.wire.play("anthropic", wires.anthropic_stream() if streamed else wires.anthropic())
    gateway.wire.play("google", wires.gemini_stream() if streamed else wires.gemini())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("failure", MOVING_ON)
async def test_the_next_candidate_answers(path: str, failure: str) -> None:
    gateway = Gateway()
    answers(gateway, path)
    gateway.wire.play("openai", MOVING_ON[failure])
    answer = await gateway.ask(path, preferred_providers=None, model_preferences={"openai": "gpt-big"})
    assert answer.status == 200, answer.body
    assert gateway.wire.sent[0][0] == "openai"
    result = answer.json if path == "/v1/execute" else answer.frames[-1]["data"]
    attempts = result["result"]["metadata"]["attempts"]
    assert attempts[0]["provider"] == "openai"
    assert attempts[0]["outcome"] != "served"
    assert attempts[-1]["outcome"] == "served"
    assert result["persona_routing"]["rank"] > 1
    assert len(gateway.books.settled) == 1
    assert not gateway.books.open


@pytest.mark.parametrize("path", PATHS)
async def test_what_the_provider_finds_wrong_with_the_request_is_not_tried_elsewhere(path: str) -> None:
    gateway = Gateway()
    answers(gateway, path)
    gateway.wire.play("openai", wires.error(400, message="max_tokens is too large"))
    answer = await gateway.ask(path, model_preferences={"openai": "gpt-big"})
    assert answer.status == 502
    assert answer.json["error_code"] == "provider_error"
    assert "max_tokens is too large" in answer.json["message"]
    assert len(gateway.wire.sent) == 1
    assert len(gateway.books.voided) == 1
    assert gateway.books.balance == 5_000_000_000


@pytest.mark.parametrize("path", PATHS)
async def test_when_every_attempt_fails_nobody_is_charged(path: str) -> None:
    gateway = Gateway()
    for provider in ("openai", "anthropic", "google"):
        gateway.wire.play(provider, wires.error(500, message="boom"))
    answer = await gateway.ask(path)
    assert answer.status == 502
    assert answer.json["error_code"] == "provider_error"
    (failed,) = gateway.books.voided.values()
    assert len(failed.attempts) == 3
    assert failed.provider_cost == 0
    assert gateway.books.balance == 5_000_000_000
    assert not gateway.books.open


async def test_a_pinned_model_is_asked_again_after_a_moment() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.error(503), wires.error(500), wires.openai())
    answer = await gateway.ask(model="openai/gpt-big")
    assert answer.status == 200
    assert {sent[2]["model"] for sent in gateway.wire.sent} == {"gpt-big"}


async def test_retry_after_is_waited_for_when_it_is_short_and_nothing_else_is_left() -> None:
    gateway = Gateway(attempt=AttemptSettings(pause=0.001, longest_pause=0.5))
    gateway.wire.play("openai", wires.error(429, retry_after="0.05"), wires.openai())
    started = gateway.clock.monotonic()
    answer = await gateway.ask(model="openai/gpt-big")
    assert answer.status == 200
    assert gateway.clock.monotonic() - started >= 0.05


async def test_a_key_that_is_sent_to_rest_again_while_others_wait_for_it_is_waited_for_again() -> None:
    gateway = Gateway(attempt=AttemptSettings(pause=0.001, longest_pause=1.0))
    limited = wires.error(429, retry_after="0.05")
    gateway.wire.play("openai", limited, limited, wires.openai())
    answers = await asyncio.gather(*(gateway.ask(model="openai/gpt-big") for _ in range(4)))
    assert [answer.status for answer in answers] == [200] * 4


async def test_a_long_retry_after_is_passed_on_and_kept_to_by_later_requests() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.error(429, retry_after="20"))
    answer = await gateway.ask(model="openai/gpt-big")
    assert answer.status == 502
    assert int(answer.headers["retry-after"]) == 20
    again = await gateway.ask(model="openai/gpt-big")
    assert again.status == 502
    assert len(gateway.wire.sent) == 1


async def test_several_keys_are_taken_in_turn_and_a_refused_one_is_left_out() -> None:
    gateway = Gateway(keys={"openai": ("sk-one", "sk-two")})
    gateway.wire.play("openai", wires.error(401), wires.openai())
    first = await gateway.ask(model="openai/gpt-big")
    assert first.status == 502
    for _ in range(3):
        assert (await gateway.ask(model="openai/gpt-big")).status == 200
    used = [headers["authorization"] for *_, headers in gateway.wire.sent]
    assert used == ["Bearer sk-one", "Bearer sk-two", "Bearer sk-two", "Bearer sk-two"]


async def test_our_own_key_is_never_quoted_to_the_caller() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.error(401, message="Incorrect API key provided: sk-openai"))
    answer = await gateway.ask(model="openai/gpt-big")
    assert b"sk-openai" not in answer.body


async def test_a_model_that_keeps_failing_is_tried_last() -> None:
    gateway = Gateway()
    answers(gateway, "/v1/execute")
    gateway.wire.play("openai", wires.error(500))
    wish = {"openai": "gpt-big"}
    for _ in range(3):
        await gateway.ask(model_preferences=wish)
    before = len(gateway.wire.sent)
    answer = await gateway.ask(model_preferences=wish)
    assert answer.status == 200
    assert [sent[0] for sent in gateway.wire.sent[before:]] != ["openai"]
    assert len(gateway.wire.sent) == before + 1


@pytest.mark.parametrize("kind", [FailureKind.CUT_SHORT, FailureKind.TIMEOUT, None])
async def test_a_stream_cut_after_content_ends_in_an_error_and_is_not_charged(kind: FailureKind | None) -> None:
    gateway = Gateway()
    answers(gateway, "/v1/execute/stream")
    whole = wires.openai_stream()
    gateway.wire.play("openai", Script(pieces=whole.pieces[:4], fails=kind))
    answer = await gateway.stream(model_preferences={"openai": "gpt-big"})
    assert answer.status == 200
    kinds = [frame["type"] for frame in answer.frames]
    assert kinds[-1] == "error"
    assert "complete" not in kinds
    expected = "provider_timeout" if kind is FailureKind.TIMEOUT else "provider_error"
    assert answer.frames[-1]["error"]["code"] == expected
    assert answer.frames[-1]["error"]["message"]
    assert len(gateway.wire.sent) == 1
    assert len(gateway.books.voided) == 1
    assert gateway.books.balance == 5_000_000_000


async def test_an_answer_nobody_can_use_is_the_houses_loss_when_another_serves() -> None:
    gateway = Gateway()
    answers(gateway, "/v1/execute")
    gateway.wire.play("openai", wires.openai("", output=7))
    answer = await gateway.ask(model_preferences={"openai": "gpt-big"})
    assert answer.status == 200
    settlement, _ = next(iter(gateway.books.settled.values()))
    own = settlement.price * 100 // 105
    assert settlement.provider_cost == own + 100 * 10_000 + 7 * 30_000
    assert settlement.provider != "openai"
    assert settlement.elsewhere == {"openai": 100 * 10_000 + 7 * 30_000}


async def test_while_a_refused_key_rests_the_operators_account_is_named_not_a_rate_limit() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.error(401))
    for _ in range(2):
        answer = await gateway.ask("/v1/execute", model="openai/gpt-big")
        assert answer.status == 502
        assert "(authentication)" in answer.json["detail"]
        assert "the operator must look into it" in answer.json["detail"]
        assert "retry-after" not in answer.headers
    assert len(gateway.wire.sent) == 1
