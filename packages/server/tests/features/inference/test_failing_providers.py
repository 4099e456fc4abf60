"""A provider in trouble is asked less, takes nothing from its neighbours, and is not blamed for callers in a hurry."""

import asyncio
from dataclasses import replace

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.features.inference.attempt import AttemptSettings
from monkey_coder_server.features.inference.breaker import BreakerState
from monkey_coder_server.features.inference.call_budget import RETRIES
from monkey_coder_server.features.inference.pipeline import PipelineSettings
from monkey_coder_server.features.inference.refused_keys import KEYS
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.features.inference.world import Script

PINNED = "openai/gpt-big"
NARROW = AttemptSettings(pause=0.001, longest_pause=0.2, places=1, line=0)


def slowly(script: Script, seconds: float = 0.1) -> Script:
    return replace(script, delay=seconds)


async def test_when_its_retries_are_used_up_a_provider_is_asked_once_a_request() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.error(503))
    for _ in range(20):
        assert (await gateway.ask(model=PINNED)).status == 502
    calls = len(gateway.wire.sent)
    assert calls <= 20 + RETRIES.most + 0.1 * 20
    for _ in range(5):
        await gateway.ask(model=PINNED)
    assert len(gateway.wire.sent) <= calls + 6


async def test_used_up_retries_never_keep_a_request_from_another_provider() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.error(503))
    gateway.wire.play("anthropic", wires.anthropic())
    gateway.wire.play("google", wires.gemini())
    for _ in range(20):
        await gateway.ask(model=PINNED)
    assert (await gateway.ask(model_preferences={"openai": "gpt-big"})).status == 200


async def test_a_request_goes_elsewhere_while_every_place_of_its_provider_is_taken() -> None:
    gateway = Gateway(attempt=NARROW)
    gateway.wire.play("openai", slowly(wires.openai()))
    gateway.wire.play("anthropic", slowly(wires.anthropic()))
    gateway.wire.play("google", slowly(wires.gemini()))
    wish = {"openai": "gpt-big"}
    answers = await asyncio.gather(*(gateway.ask(model_preferences=wish) for _ in range(3)))
    assert [answer.status for answer in answers] == [200] * 3
    assert len({sent[0] for sent in gateway.wire.sent}) == 3


async def test_when_there_is_no_place_anywhere_the_caller_is_told_to_come_back_and_pays_nothing() -> None:
    gateway = Gateway(attempt=NARROW)
    gateway.wire.play("openai", slowly(wires.openai()))
    first, second = await asyncio.gather(gateway.ask(model=PINNED), gateway.ask(model=PINNED))
    assert (first.status, second.status) == (200, 503)
    assert second.headers["retry-after"] == "1"
    assert len(gateway.wire.sent) == 1
    assert not gateway.books.open
    assert (await gateway.ask(model=PINNED)).status == 200


async def test_requests_in_line_are_served_when_a_place_is_free() -> None:
    gateway = Gateway(attempt=replace(NARROW, line=4, longest_pause=5.0))
    gateway.wire.play("openai", slowly(wires.openai(), 0.02))
    answers = await asyncio.gather(*(gateway.ask(model=PINNED) for _ in range(5)))
    assert [answer.status for answer in answers] == [200] * 5


async def test_a_stream_keeps_its_place_to_its_end_and_then_gives_it_back() -> None:
    gateway = Gateway(attempt=NARROW)
    gateway.wire.play("openai", replace(wires.openai_stream(), gap=0.02))
    running = asyncio.create_task(gateway.stream(model=PINNED))
    await asyncio.sleep(0.06)
    assert (await gateway.stream(model=PINNED)).status == 503
    assert (await running).status == 200
    assert (await gateway.stream(model=PINNED)).status == 200


async def test_failed_calls_give_their_places_back() -> None:
    gateway = Gateway(attempt=NARROW)
    gateway.wire.play("openai", wires.error(500), wires.error(400), Script(before=FailureKind.TIMEOUT), wires.openai())
    answers = [await gateway.ask(model=PINNED) for _ in range(3)]
    assert answers[-1].status == 200
    assert len(gateway.wire.sent) == 4


async def test_callers_who_leave_a_model_no_time_do_not_open_its_breaker() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", slowly(Script(before=FailureKind.TIMEOUT), 0.97))
    asks = [gateway.ask(model=PINNED, context={"timeout": 1}) for _ in range(4)]
    assert {answer.status for answer in await asyncio.gather(*asks)} == {504}
    assert gateway.health.pulse(PINNED, gateway.clock.monotonic()).state is BreakerState.CLOSED


async def test_a_provider_that_times_out_by_itself_does() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", Script(before=FailureKind.TIMEOUT))
    for _ in range(3):
        await gateway.ask(model=PINNED)
    assert gateway.health.pulse(PINNED, gateway.clock.monotonic()).state is BreakerState.OPEN


async def test_a_key_that_has_used_up_its_limit_is_left_alone_while_another_has_not() -> None:
    gateway = Gateway(keys={"openai": ("sk-one", "sk-two")})
    spent = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m0s"}
    whole = wires.openai()
    gateway.wire.play("openai", replace(whole, headers={**whole.headers, **spent}), whole)
    for _ in range(4):
        assert (await gateway.ask(model=PINNED)).status == 200
    used = [headers["authorization"] for *_, headers in gateway.wire.sent]
    assert used == ["Bearer sk-one", "Bearer sk-two", "Bearer sk-two", "Bearer sk-two"]


MANY = {"openai": tuple(f"sk-{number}" for number in range(64)), "anthropic": ("sk-a",), "google": ("sk-g",)}
WISH = {"openai": "gpt-big"}


def calls_to(gateway: Gateway, provider: str) -> int:
    return sum(sent[0] == provider for sent in gateway.wire.sent)


async def test_a_provider_that_refuses_all_keys_is_asked_with_a_few_of_them() -> None:
    gateway = Gateway(keys=MANY)
    gateway.wire.play("openai", wires.error(429))
    gateway.wire.play("anthropic", wires.anthropic())
    gateway.wire.play("google", wires.gemini())
    answers = [await gateway.ask(model_preferences=WISH) for _ in range(30)]
    assert {answer.status for answer in answers} == {200}
    assert calls_to(gateway, "openai") == KEYS


async def test_one_bad_key_among_many_does_not_keep_requests_from_its_provider() -> None:
    gateway = Gateway(keys=MANY)
    gateway.wire.play("openai", wires.error(429, retry_after="60"), wires.openai())
    gateway.wire.play("anthropic", wires.anthropic())
    gateway.wire.play("google", wires.gemini())
    for _ in range(10):
        assert (await gateway.ask(model_preferences=WISH)).status == 200
    assert calls_to(gateway, "openai") == 10


async def test_while_its_model_rests_a_pinned_request_asks_once_and_not_with_one_key_after_another() -> None:
    gateway = Gateway(keys=MANY)
    gateway.wire.play("openai", wires.error(429, retry_after="20"))
    for _ in range(KEYS):
        await gateway.ask(model=PINNED)
    before = len(gateway.wire.sent)
    for number in range(1, 11):
        answer = await gateway.ask(model=PINNED)
        assert (answer.status, answer.headers["retry-after"]) == (502, "20")
        assert len(gateway.wire.sent) == before + number


async def test_while_its_model_rests_a_pinned_request_that_fails_otherwise_is_asked_again() -> None:
    gateway = Gateway(keys=MANY)
    gateway.wire.play("openai", *[wires.error(429, retry_after="20")] * KEYS, wires.error(503), wires.openai())
    gateway.wire.play("anthropic", wires.anthropic())
    gateway.wire.play("google", wires.gemini())
    for _ in range(KEYS):
        await gateway.ask(model_preferences=WISH)
    assert gateway.health.rests(PINNED, gateway.clock.monotonic()) > 0.0
    answer = await gateway.ask(model=PINNED)
    assert answer.status == 200
    assert calls_to(gateway, "openai") == KEYS + 2


async def test_a_pinned_request_that_is_served_ends_the_rest_for_all() -> None:
    gateway = Gateway(keys=MANY)
    gateway.wire.play("openai", *[wires.error(429)] * KEYS, wires.openai())
    gateway.wire.play("anthropic", wires.anthropic())
    gateway.wire.play("google", wires.gemini())
    for _ in range(KEYS):
        await gateway.ask(model_preferences=WISH)
    assert not gateway.health.admits(PINNED, gateway.clock.monotonic())
    assert (await gateway.ask(model=PINNED)).status == 200
    before = calls_to(gateway, "openai")
    assert (await gateway.ask(model_preferences=WISH)).status == 200
    assert calls_to(gateway, "openai") == before + 1


async def test_one_probe_at_a_time_however_many_ask_at_once() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", slowly(wires.error(503)))
    gateway.wire.play("anthropic", wires.anthropic())
    gateway.wire.play("google", wires.gemini())
    for _ in range(3):
        await gateway.ask(model_preferences=WISH)
    await asyncio.sleep(0.25)
    before = calls_to(gateway, "openai")
    answers = await asyncio.gather(*(gateway.ask(model_preferences=WISH) for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert calls_to(gateway, "openai") == before + 1


async def test_a_probe_the_books_could_not_take_on_makes_room_for_another() -> None:
    gateway = Gateway(pipeline=PipelineSettings(durable=0.02))
    gateway.wire.play("openai", wires.error(503))
    gateway.wire.play("anthropic", wires.anthropic())
    gateway.wire.play("google", wires.gemini())
    for _ in range(3):
        await gateway.ask(model_preferences=WISH)
    await asyncio.sleep(0.25)
    before = len(gateway.wire.sent)
    gateway.books.durable_delay, gateway.books.kept_at_once = 0.1, False
    assert (await gateway.ask(model=PINNED)).status == 503
    assert len(gateway.wire.sent) == before
    assert gateway.health.admits(PINNED, gateway.clock.monotonic())
