"""On the request path the text of a prompt counts for nothing until it foretold the account's own outcomes."""

import json
from typing import Any

import pytest

from monkey_coder_server.features.inference.restraint import Restraint
from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.features.inference.test_quote_debug_feedback import everything_answers, feedback
from packages.server.tests.features.inference.world import Sums

GOOD, BAD = "openai/gpt-big", "anthropic/claude-big"
WORD = "quaternion"
FILLER = "please change this module so that every branch is handled"


async def reported(gateway: Gateway, rounds: int, *, tells: bool = True) -> None:
    """Rounds with two pinned models: at prompts with the word one passes its tests, at others the other."""
    for number in range(rounds):
        model, holds = (GOOD, BAD)[number % 2], number // 2 % 2 == 0
        passed = holds == (model == GOOD) if tells else number // 4 % 2 == 0
        prompt = f"{FILLER} {WORD if holds else 'matrix'} {number}"
        answer = (await gateway.ask(model=model, prompt=prompt, context={"max_tokens": 10 + number})).json
        await tell(gateway, answer["execution_id"], passed=passed)
        if number % 10 == 9:
            await gateway.settle_down()


async def tell(gateway: Gateway, request_id: str, *, passed: bool) -> None:
    body = feedback(request_id=request_id, outcome="tests_passed" if passed else "tests_failed")
    assert (await gateway.ask("/v1/feedback", body=body)).status == 200


async def debug(gateway: Gateway, prompt: str, **fields: Any) -> dict[str, Any]:
    answer = await gateway.ask("/v1/router/debug", prompt=prompt, **fields)
    metadata: dict[str, Any] = answer.json["debug_info"]["metadata"]
    return metadata


def success(metadata: dict[str, Any], name: str) -> float:
    return next(float(each["success"]) for each in metadata["candidates"] if each["model"] == name)


async def test_before_it_has_earned_it_the_text_moves_nothing_and_debug_says_so() -> None:
    gateway = Gateway(balance=10**12)
    everything_answers(gateway)
    await reported(gateway, 20)
    one, other = await debug(gateway, f"{FILLER} {WORD}"), await debug(gateway, f"{FILLER} matrix")
    assert (one["text"]["gate"], one["text"]["heard"]) == ("closed", False)
    assert one["text"]["outcomes"] < one["text"]["needed_outcomes"]
    assert one["candidates"] == other["candidates"]


async def test_text_that_tells_nothing_stays_unheard() -> None:
    gateway = Gateway(balance=10**12)
    everything_answers(gateway)
    await reported(gateway, 80, tells=False)
    text = (await debug(gateway, f"{FILLER} {WORD}"))["text"]
    assert text["outcomes"] > text["needed_outcomes"]
    assert (text["gate"], text["heard"]) == ("closed", False)


async def test_text_that_foretold_outcomes_is_heard_and_moves_the_choice() -> None:
    gateway = Gateway(balance=10**12)
    everything_answers(gateway)
    await reported(gateway, 160)
    found = {}
    for word in (WORD, "matrix"):
        metadata = await debug(gateway, f"{FILLER} {word}", model="auto:best")
        text = metadata["text"]
        assert (text["gate"], text["heard"]) == ("open", True)
        assert text["gain_nats"] > text["needed_nats"]
        found[word] = metadata
    assert success(found[WORD], GOOD) - success(found["matrix"], GOOD) > 0.3
    assert success(found["matrix"], BAD) - success(found[WORD], BAD) > 0.3
    assert found[WORD]["text"]["moves"][GOOD] > 0 > found[WORD]["text"]["moves"][BAD]
    order = [each["model"] for each in found[WORD]["candidates"]]
    assert order.index(GOOD) < order.index(BAD)
    order = [each["model"] for each in found["matrix"]["candidates"]]
    assert order.index(BAD) < order.index(GOOD)


async def test_answers_tell_what_the_text_moved_and_other_accounts_are_not_moved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Restraint, "allows", lambda *_: False)
    gateway = Gateway(balance=10**12)
    everything_answers(gateway)
    await reported(gateway, 160)
    asked = {"prompt": f"{FILLER} {WORD}", "model": "auto:best"}
    told = (await gateway.ask(**asked)).json["result"]["quantum_collapse_info"]
    assert told["moved_by_text"][GOOD] > 0.1
    other = (await gateway.ask(**asked, account="acct_other")).json["result"]["quantum_collapse_info"]
    assert "moved_by_text" not in other
    assert (await debug(gateway, asked["prompt"], account="acct_other"))["text"]["gate"] == "closed"
    pinned = (await gateway.ask(prompt=asked["prompt"], model=GOOD)).json["result"]["quantum_collapse_info"]
    assert "moved_by_text" not in pinned


async def test_a_restart_keeps_it_and_no_word_is_kept() -> None:
    sums, texts = Sums(), Sums()
    before = Gateway(balance=10**12, sums=sums, texts=texts)
    everything_answers(before)
    await reported(before, 160)
    after = Gateway(balance=10**12, sums=sums, texts=texts)
    assert after.feature.start is not None
    await after.feature.start()
    one, two = [await debug(each, f"{FILLER} {WORD}", model="auto:best") for each in (before, after)]
    await after.settle_down()
    assert two["text"]["gate"] == "open"
    assert two["text"]["gain_nats"] == pytest.approx(one["text"]["gain_nats"], abs=1e-3)
    assert two["text"]["moves"] == pytest.approx(one["text"]["moves"], abs=1e-3)
    kept = json.dumps([[*node, arm] for node, arm in texts.kept])
    assert WORD not in kept
    assert "branch" not in kept


async def test_of_several_outcomes_of_a_request_the_heaviest_counts() -> None:
    gateway = Gateway(balance=10**12)
    everything_answers(gateway)
    await reported(gateway, 1)
    answer = (await gateway.ask(model=GOOD, prompt=f"{FILLER} {WORD}")).json["execution_id"]
    for passed in (False, False, True):
        await tell(gateway, answer, passed=passed)
    faint = feedback(request_id=answer, outcome="rejected")
    assert (await gateway.ask("/v1/feedback", body=faint)).status == 200
    await gateway.settle_down()
    every = [tally for (node, _), tally in gateway.texts.kept.items() if node == ("mark", "536")]
    assert [round(tally.rows, 6) for tally in every] == [1.0]
    assert every[0].quality > 0
