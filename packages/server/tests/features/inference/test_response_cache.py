"""The same request again gets what is kept: no call, no charge, in its own dialect, and nobody else's."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from monkey_coder_server.domain.cache_control import CacheMode
from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.domain.markup import MarkupTable
from monkey_coder_server.domain.model_rules import ModelRule
from monkey_coder_server.features.inference import CacheSettings
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.cached import CHAT, CLAUDE, GENERATE, GPT, MESSAGES, ON, RESPONSES, Asking
from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.features.inference.test_repeats import STREAMED, WHOLE, cost, ended, text

each_model = pytest.mark.parametrize("model", STREAMED)
each_path = pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES, GENERATE])
whole_or_stream = pytest.mark.parametrize("stream", [False, True])


@each_model
@each_path
@whole_or_stream
async def test_a_hit_says_the_same_calls_nobody_and_costs_nothing(model: str, path: str, *, stream: bool) -> None:
    asking = Asking(model, path)
    asking.play((STREAMED if stream else WHOLE)[model]())
    first = await asking.ask(stream=stream)
    assert (first.status, first.headers["x-monkey-cache"]) == (200, "miss"), first.body
    balance = asking.gateway.books.balance
    again = await asking.ask(stream=stream)
    assert (again.status, again.headers["x-monkey-cache"], again.headers["age"]) == (200, "hit", "0"), again.body
    assert text(again) == text(first) == wires.TEXT
    assert ended(again) == ended(first) is stream or not stream
    assert again.headers["x-monkey-model"] == first.headers["x-monkey-model"]
    assert asking.calls == 1
    assert asking.gateway.books.balance == balance
    (_, paid), (free, charge) = asking.gateway.books.settled.values()
    assert (charge.charged, free.cache_saving, free.usage.total) == (0, paid.charged, 0)
    assert [each.outcome for each in free.attempts] == ["cached"]
    if not stream:
        assert again.headers["x-monkey-cost"] == "0.00"
        assert again.headers["x-monkey-receipt"] == charge.receipt_id
        assert (cost(first.json) > 0, cost(again.json)) == (True, 0)
    assert (asking.gateway.counts.hits, asking.gateway.counts.saved) == (1, paid.charged)


@whole_or_stream
async def test_a_native_hit_is_the_first_result_under_its_own_names(*, stream: bool) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai_stream() if stream else wires.openai())
    path = "/v1/execute/stream" if stream else "/v1/execute"
    asked = {"headers": ON, "model": GPT}
    first, again = [await gateway.ask(path, task_id=f"task_{turn}", **asked) for turn in range(2)]
    assert (first.headers["x-monkey-cache"], again.headers["x-monkey-cache"]) == ("miss", "hit"), again.body
    bodies = [each.frames[-1]["data"] if stream else each.json for each in (first, again)]
    one, two = bodies
    assert (one.keys(), one["result"]["result"]) == (two.keys(), two["result"]["result"])
    assert (two["task_id"], two["usage"]["cost_estimate"]) == ("task_1", 0)
    assert two["execution_id"] != one["execution_id"]
    assert two["usage"]["tokens_used"] == one["usage"]["tokens_used"]
    told, paid = two["result"]["metadata"], one["result"]["metadata"]["cost_usd"]
    assert (told["cost_usd"], told["cache"]) == ("0.00", {"status": "hit", "age_seconds": 0, "saved_usd": paid})
    assert told["request_id"] == two["execution_id"]
    if stream:
        assert again.text == first.text
    assert len(gateway.wire.sent) == 1
    again = await gateway.ask(path, task_id="task_1", **asked)
    assert again.headers["idempotent-replayed"] == "true"
    assert len(gateway.books.settled) == 2


async def test_nobody_is_given_what_another_account_asked() -> None:
    asking = Asking()
    asking.play(wires.openai("for one"), wires.openai("for the other"))
    answers = [await asking.ask(account=account) for account in ("acct_1", "acct_2", "acct_1", "acct_2")]
    assert [text(each) for each in answers] == ["for one", "for the other"] * 2
    assert [each.headers["x-monkey-cache"] for each in answers] == ["miss", "miss", "hit", "hit"]
    together = await asyncio.gather(*[asking.ask(account=f"acct_{turn % 7}", seed=1) for turn in range(70)])
    assert {each.status for each in together} == {200}
    assert asking.calls == 2 + 7


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, ["bypass", "bypass"]),
        ({"x-monkey-cache": "on"}, ["miss", "hit"]),
        ({"cache-control": "max-age=60"}, ["miss", "hit"]),
        ({"cache-control": "no-cache"}, ["bypass", "bypass"]),
        ({"cache-control": "max-age=0"}, ["bypass", "bypass"]),
        ({"cache-control": "no-store", "x-monkey-cache": "on"}, ["bypass", "bypass"]),
        ({"cache-control": "max-age=60", "x-monkey-cache": "off"}, ["bypass", "bypass"]),
        ({"x-monkey-cache": "refresh"}, ["miss", "miss"]),
        ({"x-monkey-cache": "on", "cache-control": "no-cache"}, ["miss", "miss"]),
    ],
)
async def test_who_asks_for_it_takes_part(headers: dict[str, str], said: list[str]) -> None:
    asking = Asking()
    asking.play(wires.openai())
    answers = [await asking.ask(headers) for _ in range(2)]
    assert [each.headers["x-monkey-cache"] for each in answers] == said


async def test_what_is_refreshed_is_given_from_then_on() -> None:
    asking = Asking()
    asking.play(wires.openai("old"), wires.openai("new"))
    await asking.ask()
    assert text(await asking.ask({"x-monkey-cache": "refresh"})) == "new"
    assert text(await asking.ask()) == "new"
    assert asking.calls == 2


async def test_only_if_cached_never_calls_anybody() -> None:
    asking = Asking()
    asking.play(wires.openai())
    only = {"cache-control": "only-if-cached"}
    missed = await asking.ask(only)
    assert (missed.status, missed.headers["x-should-retry"]) == (504, "false")
    barred = await asking.ask({**only, "x-monkey-cache": "off"})
    assert (barred.status, asking.calls, asking.gateway.books.open) == (504, 0, {})
    await asking.ask()
    assert text(await asking.ask(only)) == wires.TEXT
    assert asking.calls == 1


async def test_an_answer_is_given_only_while_it_is_young_enough() -> None:
    asking = Asking()
    asking.play(wires.openai("old"), wires.openai("new"))
    await asking.ask()
    asking.gateway.clock.today += timedelta(seconds=50)
    hit = await asking.ask({"cache-control": "max-age=60"})
    assert (text(hit), hit.headers["age"]) == ("old", "50")
    assert text(await asking.ask({"cache-control": "max-age=40"})) == "new"


async def test_nonsense_is_told() -> None:
    asking = Asking()
    asking.play(wires.openai())
    answer = await asking.ask({"x-monkey-cache": "maybe"})
    assert answer.status == 400
    assert b"on, off, refresh" in answer.body
    assert asking.calls == 0


@pytest.mark.parametrize(
    ("mode", "fields", "headers", "takes_part"),
    [
        (CacheMode.OPT_OUT, {"temperature": 0}, {}, True),
        (CacheMode.OPT_OUT, {"temperature": 0}, {"cache-control": "no-store"}, False),
        (CacheMode.OPT_OUT, {"temperature": 0.1}, {}, False),
        (CacheMode.OPT_OUT, {}, {}, False),
        (CacheMode.OPT_OUT, {}, ON, True),
        (CacheMode.OPT_IN, {"temperature": 0}, {}, False),
        (CacheMode.OFF, {"temperature": 0}, ON, False),
    ],
)
async def test_the_operator_decides_who_takes_part_unasked(
    mode: CacheMode, fields: dict[str, Any], headers: dict[str, str], *, takes_part: bool
) -> None:
    asking = Asking(caching=CacheSettings(mode))
    asking.play(wires.openai())
    await asking.ask(headers, **fields)
    assert (await asking.ask(headers, **fields)).headers["x-monkey-cache"] == ("hit" if takes_part else "bypass")


async def test_what_is_stored_for_its_caller_is_not_kept_for_others() -> None:
    asking = Asking(path=RESPONSES)
    asking.play(wires.openai())
    said = [(await asking.ask(store=True)).headers["x-monkey-cache"] for _ in range(2)]
    assert said == ["bypass", "bypass"]
    assert len(asking.gateway.kept.answers) == 2


@pytest.mark.parametrize("finish", ["length", "content_filter"])
async def test_what_was_not_said_to_its_end_is_not_kept(finish: str) -> None:
    asking = Asking()
    asking.play(wires.openai(finish=finish))
    said = [(await asking.ask()).headers["x-monkey-cache"] for _ in range(2)]
    assert (said, asking.gateway.counts.stored) == (["miss", "miss"], 0)


async def test_keys_with_other_models_allowed_share_nothing() -> None:
    asking = Asking()
    asking.play(wires.openai())
    await asking.ask()
    asking.gateway.allow("openai/gpt-small")
    assert (await asking.ask()).status == 403
    asking.gateway.allow(GPT)
    assert (await asking.ask()).headers["x-monkey-cache"] == "miss"
    asking.gateway.rules = (ModelRule(Holder(HolderKind.ACCOUNT, "acct_1"), deny=(GPT,)),)
    assert (await asking.ask()).status == 403
    assert asking.calls == 2


async def test_other_prices_are_another_answer() -> None:
    asking = Asking()
    asking.play(wires.openai())
    await asking.ask()
    asking.gateway.markups = MarkupTable(900)
    assert (await asking.ask()).headers["x-monkey-cache"] == "miss"


async def test_headers_that_change_the_answer_change_the_key() -> None:
    asking = Asking(CLAUDE, MESSAGES)
    asking.play(wires.anthropic())
    await asking.ask()
    for name, value in (
        ("x-mk-collapse", "race"),
        ("x-mk-max-cost", "0.5"),
        ("anthropic-beta", "context-1m-2025-08-07"),
        ("x-mk-weights", "quality=100,cost=0,latency=0"),
    ):
        answer = await asking.ask({**ON, name: value})
        assert (name, answer.status, answer.headers["x-monkey-cache"]) == (name, 200, "miss"), answer.body


async def test_an_idempotent_repeat_is_the_first_answer_and_a_new_key_may_be_a_hit() -> None:
    asking = Asking()
    asking.play(wires.openai())
    one, other = {**ON, "idempotency-key": "one"}, {**ON, "idempotency-key": "other"}
    first, again, hit, hit_again = [await asking.ask(each) for each in (one, one, other, other)]
    assert (first.body, hit.body) == (again.body, hit_again.body)
    assert first.body != hit.body
    assert [each.headers.get("idempotent-replayed") for each in (again, hit, hit_again)] == ["true", None, "true"]
    assert (asking.calls, len(asking.gateway.books.settled)) == (1, 2)


async def test_a_hit_counts_for_the_rate_and_is_refused_with_the_account() -> None:
    asking = Asking(requests_left=3)
    asking.play(wires.openai())
    assert [(await asking.ask()).status for _ in range(4)] == [200, 200, 200, 429]
    broke = Asking()
    broke.play(wires.openai())
    await broke.ask()
    broke.gateway.books.balance = -1
    assert (await broke.ask()).status == 400
    assert broke.gateway.books.open == {}


async def test_who_does_not_ask_costs_nothing_and_is_counted() -> None:
    asking = Asking()
    asking.play(wires.openai())
    asking.gateway.cache.get = None  # type: ignore[method-assign,assignment] - it is not asked
    await asking.ask({})
    assert asking.gateway.counts.bypassed == 1
