"""The same in other words gets the kept answer, for who asks for that, where it is safe, and nobody else's."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from monkey_coder_server.domain.cache_control import CacheMode
from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.domain.markup import MarkupTable
from monkey_coder_server.features.inference import CacheSettings
from monkey_coder_server.features.inference.cached_answer import unpacked
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.cached import (
    CHAT,
    CLAUDE,
    GENERATE,
    GPT,
    MESSAGES,
    ON,
    RESPONSES,
    Asking,
)
from packages.server.tests.features.inference.gateway import FACTS, Answer, Gateway
from packages.server.tests.features.inference.test_repeats import STREAMED, WHOLE, cost, ended, text

SEMANTIC = {"x-monkey-cache": "semantic"}
ONE = "Write a function to reverse the words of a line."
OTHER = "Please write a function which reverses the words of a given line"
DIFFERENT = "Write a function to reverse the lines of a word."
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
each_path = pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES, GENERATE])
each_model = pytest.mark.parametrize("model", STREAMED)
whole_or_stream = pytest.mark.parametrize("stream", [False, True])


class Vectors:
    """`ports.embedding.Embedding` that finds all texts alike, but for those named."""

    name = "made-up"

    def __init__(self, others: Mapping[str, Sequence[float]] | None = None) -> None:
        self.others = others or {}
        self.asked: list[str] = []
        self.fails = False

    async def vector(self, text: str) -> Sequence[float]:
        self.asked.append(text)
        if self.fails:
            raise RuntimeError("no model")
        return self.others.get(text, [1.0, 0.0])


def asking(model: str = GPT, path: str = CHAT, vectors: Vectors | None = None, **options: Any) -> Asking:
    return Asking(model, path, embedding=vectors or Vectors(), **options)


def said(answer: Answer) -> str:
    assert answer.status == 200, answer.body
    return answer.headers["x-monkey-cache"]


@each_model
@each_path
@whole_or_stream
async def test_other_words_get_the_kept_answer_in_every_dialect_for_nothing(
    model: str, path: str, *, stream: bool
) -> None:
    world = asking(model, path)
    world.play((STREAMED if stream else WHOLE)[model]())
    first = await world.ask(SEMANTIC, words=ONE, stream=stream)
    assert said(first) == "miss"
    balance = world.gateway.books.balance
    again = await world.ask(SEMANTIC, words=OTHER, stream=stream)
    assert (said(again), again.headers["age"]) == ("semantic; similarity=1.000", "0")
    assert text(again) == text(first) == wires.TEXT
    assert ended(again) == ended(first)
    assert (world.calls, world.gateway.books.balance) == (1, balance)
    (_, paid), (free, charge) = world.gateway.books.settled.values()
    assert (charge.charged, free.cache_saving, free.usage.total) == (0, paid.charged, 0)
    assert [each.outcome for each in free.attempts] == ["cached"]
    if not stream:
        assert (again.headers["x-monkey-cost"], cost(again.json)) == ("0.00", 0)
        assert again.headers["x-monkey-receipt"] == charge.receipt_id
    counts = world.gateway.counts
    assert (counts.hits, counts.reworded, counts.misses, counts.saved) == (1, 1, 1, paid.charged)


@whole_or_stream
async def test_a_native_answer_says_how_alike_the_words_are(*, stream: bool) -> None:
    vectors = Vectors({OTHER: [0.96, 0.28]})
    gateway = Gateway(embedding=vectors)
    gateway.wire.play("openai", wires.openai_stream() if stream else wires.openai())
    path = "/v1/execute/stream" if stream else "/v1/execute"
    await gateway.ask(path, headers=SEMANTIC, model=GPT, task_id="task_1", prompt=ONE)
    again = await gateway.ask(path, headers=SEMANTIC, model=GPT, task_id="task_2", prompt=f" {OTHER}\n")
    assert said(again) == "semantic; similarity=0.960"
    told = (again.frames[-1]["data"] if stream else again.json)["result"]["metadata"]["cache"]
    assert told.pop("saved_usd") != "0.00"
    assert told == {"status": "semantic", "age_seconds": 0, "similarity": 0.96}
    files = [{"path": "a.py", "content": "x = 1"}]
    for turn, fields in enumerate(({"files": files}, {"task_type": "testing"}, {"max_cost": "0.5"})):
        answer = await gateway.ask(
            path, headers=SEMANTIC, model=GPT, task_id=f"task_{turn + 3}", prompt=OTHER, **fields
        )
        assert said(answer) == "miss", fields
    answer = await gateway.ask(path, headers=SEMANTIC, model=GPT, task_id="task_9", prompt=ONE, files=files)
    assert said(answer) == "miss"


async def test_two_tenants_are_given_nothing_of_each_other() -> None:
    world = asking()
    world.play(wires.openai("for one"), wires.openai("for the other"))
    told = [await world.ask(SEMANTIC, words=ONE, account=account) for account in ("acct_1", "acct_2")]
    assert [said(each) for each in told] == ["miss", "miss"]
    told = [await world.ask(SEMANTIC, words=OTHER, account=account) for account in ("acct_1", "acct_2")]
    assert [said(each) for each in told] == ["semantic; similarity=1.000"] * 2
    assert [text(each) for each in told] == ["for one", "for the other"]
    third = await world.ask(SEMANTIC, words=OTHER, account="acct_3")
    assert (said(third), world.calls) == ("miss", 3)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"tools": [TOOL]}, CHAT),
        ({"tools": [TOOL], "tool_choice": "none"}, CHAT),
        ({"response_format": {"type": "json_object"}}, CHAT),
        ({"tools": [{"name": "look", "input_schema": {"type": "object"}}]}, MESSAGES),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, MESSAGES),
        ({"tools": [{"type": "function", "name": "look", "parameters": {"type": "object"}}]}, RESPONSES),
        ({"tools": [{"functionDeclarations": [{"name": "look"}]}]}, GENERATE),
    ],
)
async def test_never_with_tools_or_a_prescribed_form(fields: dict[str, Any], path: str) -> None:
    vectors = Vectors()
    world = asking(CLAUDE if path == MESSAGES else GPT, path, vectors)
    world.play(wires.anthropic() if path == MESSAGES else wires.openai())
    assert said(await world.ask(SEMANTIC, words=ONE, **fields)) == "miss"
    assert said(await world.ask(SEMANTIC, words=OTHER, **fields)) == "miss"
    assert said(await world.ask(SEMANTIC, words=OTHER, **fields)) == "hit"
    assert vectors.asked == []


def turns(*last: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": "I have a line."}, {"role": "assistant", "content": "Good."}, *last]


async def test_never_with_pictures() -> None:
    world = asking(capabilities=FACTS | {Capability.VISION})
    world.play(wires.openai())
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    for words in (ONE, OTHER):
        content = [picture, {"type": "text", "text": words}]
        assert said(await world.ask(SEMANTIC, messages=[{"role": "user", "content": content}])) == "miss"


async def test_never_behind_the_result_of_a_tool() -> None:
    world = asking()
    world.play(wires.openai())
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    before = [
        {"role": "user", "content": "look"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "seen"},
    ]
    for words in (ONE, OTHER):
        answer = await world.ask(SEMANTIC, messages=[*before, {"role": "user", "content": words}])
        assert said(answer) == "miss"


async def test_only_the_last_turn_may_be_put_otherwise() -> None:
    world = asking()
    world.play(wires.openai())
    one, other = {"role": "user", "content": ONE}, {"role": "user", "content": OTHER}
    assert said(await world.ask(SEMANTIC, messages=turns(one))) == "miss"
    assert said(await world.ask(SEMANTIC, messages=turns(other))).startswith("semantic")
    earlier = [{"role": "user", "content": "I have a word."}, *turns(other)[1:]]
    assert said(await world.ask(SEMANTIC, messages=earlier)) == "miss"
    assert said(await world.ask(SEMANTIC, messages=[{"role": "system", "content": "Be brief."}, other])) == "miss"


@pytest.mark.parametrize(
    ("name", "value"),
    [("temperature", 0.5), ("seed", 7), ("model", "openai/gpt-small"), ("a_field_nobody_knows", 1), ("user", "u")],
)
async def test_every_other_field_must_agree(name: str, value: object) -> None:
    world = asking()
    world.play(wires.openai())
    await world.ask(SEMANTIC, words=ONE)
    assert said(await world.ask(SEMANTIC, words=OTHER, **{name: value})) == "miss"
    assert said(await world.ask(SEMANTIC, words=OTHER)).startswith("semantic")


async def test_a_stream_and_a_whole_answer_are_kept_apart() -> None:
    world = asking()
    world.play(wires.openai(), wires.openai_stream())
    await world.ask(SEMANTIC, words=ONE)
    assert said(await world.ask(SEMANTIC, words=OTHER, stream=True)) == "miss"


async def test_other_models_rules_and_prices_are_other_places() -> None:
    world = asking()
    world.play(wires.openai())
    await world.ask(SEMANTIC, words=ONE)
    world.gateway.allow(GPT)
    assert said(await world.ask(SEMANTIC, words=OTHER)) == "miss"
    assert said(await world.ask(SEMANTIC, words=ONE)).startswith("semantic")
    world.gateway.markups = MarkupTable(900)
    assert said(await world.ask(SEMANTIC, words=OTHER)) == "miss"


@pytest.mark.parametrize(
    ("words", "hit"),
    [(OTHER, True), (DIFFERENT, False), (f"{ONE} Use no loop.", False), ("Translate hi to French", False)],
)
async def test_only_what_has_all_in_common_that_it_must(words: str, *, hit: bool) -> None:
    world = asking()
    world.play(wires.openai())
    await world.ask(SEMANTIC, words=ONE)
    assert said(await world.ask(SEMANTIC, words=words)).startswith("semantic") is hit


async def test_and_only_what_is_alike_the_most_alike_first() -> None:
    near, far = "Implement a function to reverse the words of a line", "Hello! Could you please " + ONE.lower()
    world = asking(vectors=Vectors({near: [0.96, 0.28], far: [0.6, 0.8]}))
    world.play(wires.openai("first"), wires.openai("second"))
    await world.ask(SEMANTIC, words=ONE)
    assert said(await world.ask(SEMANTIC, words=far)) == "miss"
    answer = await world.ask(SEMANTIC, words=near)
    assert (said(answer), text(answer)) == ("semantic; similarity=0.960", "first")
    answer = await world.ask(SEMANTIC, words=OTHER)
    assert (said(answer), text(answer)) == ("semantic; similarity=1.000", "first")


@pytest.mark.parametrize(("least", "expected"), [(0.96, "semantic; similarity=0.960"), (0.961, "miss")])
async def test_how_alike_is_for_the_operator_to_say(least: float, expected: str) -> None:
    world = asking(vectors=Vectors({OTHER: [0.96, 0.28]}), caching=CacheSettings(similarity=least))
    world.play(wires.openai())
    await world.ask(SEMANTIC, words=ONE)
    assert said(await world.ask(SEMANTIC, words=OTHER)) == expected


async def test_what_was_kept_long_ago_is_not_given() -> None:
    world = asking()
    world.play(wires.openai("old"), wires.openai("new"))
    await world.ask(SEMANTIC, words=ONE)
    world.gateway.clock.today += timedelta(seconds=50)
    young = {**SEMANTIC, "cache-control": "max-age=60"}
    assert (await world.ask(young, words=OTHER)).headers["age"] == "50"
    younger = {**SEMANTIC, "cache-control": "max-age=40"}
    assert text(await world.ask(younger, words=OTHER)) == "new"


@pytest.mark.parametrize("packed", [True, False])
async def test_of_an_answer_and_its_note_neither_does_when_the_other_is_over(*, packed: bool) -> None:
    world = asking()
    world.play(wires.openai("old"), wires.openai("new"))
    await world.ask(SEMANTIC, words=ONE)
    entries = world.gateway.cache._shelves["acct_1"].entries
    over = next(digest for digest, entry in entries.items() if (unpacked(entry.value) is not None) is packed)
    entries[over] = entries[over]._replace(expires=0.0)
    again = await world.ask(SEMANTIC, words=OTHER)
    assert (said(again), text(again)) == ("miss", "new")


async def test_notes_another_version_wrote_otherwise_are_none() -> None:
    world = asking()
    world.play(wires.openai("old"), wires.openai("new"))
    await world.ask(SEMANTIC, words=ONE)
    entries = world.gateway.cache._shelves["acct_1"].entries
    for digest, entry in list(entries.items()):
        if unpacked(entry.value) is None:
            entries[digest] = entry._replace(value=b"\xc1")
    assert said(await world.ask(SEMANTIC, words=OTHER)) == "miss"
    assert said(await world.ask(SEMANTIC, words=ONE)) == "hit"
    assert said(await world.ask(SEMANTIC, words=ONE + "  ")).startswith("semantic")


async def test_of_many_wordings_the_last_are_noted() -> None:
    spelled = {f"{ONE}{' ' * number}": [1.0 if at == number else 0.0 for at in range(12)] for number in range(12)}
    first, last = [[1.0 if at == number else 0.0 for at in range(12)] for number in (3, 4)]
    world = asking(vectors=Vectors({**spelled, OTHER: first, f" {OTHER}": last}))
    world.play(wires.openai())
    for words in spelled:
        assert said(await world.ask(SEMANTIC, words=words)) == "miss"
    only = {**SEMANTIC, "cache-control": "only-if-cached"}
    assert (await world.ask(only, words=OTHER)).status == 504
    assert said(await world.ask(only, words=f" {OTHER}")) == "semantic; similarity=1.000"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (ON, "miss"),
        ({"cache-control": "max-age=60"}, "miss"),
        ({}, "bypass"),
        ({"x-monkey-cache": "off"}, "bypass"),
        ({**SEMANTIC, "cache-control": "no-store"}, "bypass"),
        ({**SEMANTIC, "cache-control": "no-cache"}, "miss"),
        ({"x-monkey-cache": "refresh"}, "miss"),
    ],
)
async def test_who_does_not_ask_for_it_gets_none_and_costs_no_vector(headers: dict[str, str], expected: str) -> None:
    vectors = Vectors()
    world = asking(vectors=vectors)
    world.play(wires.openai())
    await world.ask(SEMANTIC, words=ONE)
    vectors.asked.clear()
    assert said(await world.ask(headers, words=OTHER)) == expected
    assert vectors.asked == ([OTHER] if headers.get("cache-control") == "no-cache" else [])


async def test_what_was_kept_for_who_asked_otherwise_is_not_noted() -> None:
    world = asking()
    world.play(wires.openai())
    await world.ask(ON, words=ONE)
    assert said(await world.ask(SEMANTIC, words=OTHER)) == "miss"
    assert said(await world.ask(SEMANTIC, words=ONE)) == "hit"


@pytest.mark.parametrize("mode", [CacheMode.OPT_IN, CacheMode.OPT_OUT])
async def test_where_it_is_off_who_asks_for_it_takes_part_as_others_do(mode: CacheMode) -> None:
    world = Asking(caching=CacheSettings(mode))
    world.play(wires.openai())
    told = [await world.ask(SEMANTIC, words=words, temperature=0) for words in (ONE, OTHER, ONE)]
    assert [said(each) for each in told] == ["miss", "miss", "hit"]


async def test_an_operator_who_lets_all_take_part_lets_nobody_have_other_words_unasked() -> None:
    world = asking(caching=CacheSettings(CacheMode.OPT_OUT))
    world.play(wires.openai())
    await world.ask(SEMANTIC, words=ONE, temperature=0)
    assert said(await world.ask({}, words=OTHER, temperature=0)) == "miss"


async def test_only_if_cached_takes_other_words_too() -> None:
    world = asking()
    world.play(wires.openai())
    only = {**SEMANTIC, "cache-control": "only-if-cached"}
    assert (await world.ask(only, words=OTHER)).status == 504
    await world.ask(SEMANTIC, words=ONE)
    assert said(await world.ask(only, words=OTHER)).startswith("semantic")
    assert world.calls == 1


async def test_equal_ones_at_the_same_time_share_what_they_asked_for_and_no_more() -> None:
    world = asking()
    world.play(wires.openai())
    await world.ask(SEMANTIC, words=ONE)
    asked = [world.ask(headers, words=OTHER) for headers in (SEMANTIC, SEMANTIC, ON, ON)]
    told = [said(each) for each in await asyncio.gather(*asked)]
    assert [each.startswith("semantic") for each in told] == [True, True, False, False]
    assert world.calls == 2


async def test_a_model_that_fails_is_a_miss_and_is_told() -> None:
    vectors = Vectors()
    world = asking(vectors=vectors)
    world.play(wires.openai())
    await world.ask(SEMANTIC, words=ONE)
    vectors.fails = True
    assert said(await world.ask(SEMANTIC, words=OTHER)) == "miss"
    assert said(await world.ask(SEMANTIC, words=OTHER)) == "hit"
    assert [str(each) for each in world.gateway.notes.defects] == ["no model"] * 2
    assert world.gateway.counts.stored == 2


async def test_a_repeat_under_its_key_is_told_as_the_first_was() -> None:
    world = asking()
    world.play(wires.openai())
    await world.ask(SEMANTIC, words=ONE)
    keyed = {**SEMANTIC, "idempotency-key": "one"}
    first, again = [await world.ask(keyed, words=OTHER) for _ in range(2)]
    assert said(first) == said(again) == "semantic; similarity=1.000"
    assert (first.body, again.headers["idempotent-replayed"]) == (again.body, "true")
