"""A direction of the text: found where there is one, and silent until it has earned its say."""

from random import Random

import pytest

from monkey_coder_server.domain.bandit import directions
from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.domain.bandit.directions import Direction
from monkey_coder_server.domain.bandit.fitting import FEWEST_TEXTS, Seen, fit, learn, tell
from monkey_coder_server.domain.bandit.gate import Gate
from monkey_coder_server.domain.bandit.posterior import Posterior
from monkey_coder_server.domain.bandit.quality import Quality, Telling, refined
from monkey_coder_server.domain.bandit.text import BUCKETS, COUNTS, read_text

ARMS = ("weak", "strong")
COSTS = {"weak": 1.0, "strong": 10.0}
FILLER = ("the", "value", "of", "a", "list", "that", "we", "want", "to", "have", "for", "each", "row", "in", "table")


def _tasks(tell_tale: str, rows: int, *, seed: int = 1) -> list[Seen]:
    """Half of the tasks hold a word; the strong arm does better only on those. Others teach nothing."""
    random = Random(seed)
    seen = []
    for _ in range(rows):
        words, hard = random.choices(FILLER, k=12), random.random() < 0.5
        chance = 0.9 if hard else 0.45
        prompt = " ".join([*words, tell_tale if hard else "plain"])
        qualities = {"weak": float(random.random() < 0.4), "strong": float(random.random() < chance)}
        seen.append(Seen(Context.of("qa", prompt=prompt), qualities))
    return seen


def _edge(quality: Quality, word: str) -> float:
    weak, strong = quality.expect(Context.of("qa", prompt=f"the value of a {word}"), ARMS)
    return strong.mean - weak.mean


def test_a_word_that_tells_the_arms_apart_is_heard() -> None:
    quality = fit(_tasks("proof", 800), COSTS, {})
    assert quality.text_acts
    assert _edge(quality, "proof") > _edge(quality, "plain") + 0.1


def test_words_that_tell_nothing_do_not_act() -> None:
    random = Random(2)
    noise = [
        Seen(each.context, {arm: float(random.random() < chance) for arm, chance in (("weak", 0.4), ("strong", 0.7))})
        for each in _tasks("proof", 800)
    ]
    quality = fit(noise, COSTS, {})
    assert not quality.text_acts
    assert _edge(quality, "proof") == _edge(quality, "plain")


def test_few_texts_and_none_are_not_listened_to() -> None:
    assert fit(_tasks("proof", FEWEST_TEXTS - 1), COSTS, {}).telling is None
    untold = [Seen(Context.of("qa"), each.qualities) for each in _tasks("proof", FEWEST_TEXTS)]
    assert fit(untold, COSTS, {}).telling is None


def test_a_task_that_one_arm_alone_tried_teaches_too() -> None:
    random = Random(4)
    alone = [
        Seen(each.context, {arm: each.qualities[arm]})
        for each in _tasks("proof", 1_500)
        for arm in [random.choice(ARMS)]
    ]
    telling = tell(learn(alone, {}), alone)
    scores = [telling.direction.score(read_text(f"the value of a {word}")) for word in ("proof", "plain")]
    assert scores[0] > scores[1]
    assert telling.loadings == pytest.approx({"weak": -1.0, "strong": 1.0})


def test_tasks_an_arm_of_the_hull_did_not_try_open_no_gate() -> None:
    alone = [Seen(each.context, {"strong": each.qualities["strong"]}) for each in _tasks("proof", FEWEST_TEXTS)]
    quality = fit(alone, COSTS, {})
    assert quality.gate == Gate()
    assert not quality.text_acts


def test_arms_of_one_strength_have_nothing_that_tells_them_apart() -> None:
    assert directions.loadings({"a": 0.5, "b": 0.5}) == {"a": 0.0, "b": 0.0}
    alike = [Seen(each.context, {"a": 1.0, "b": 1.0}) for each in _tasks("proof", 20)]
    telling = tell(learn(alike, {}), alike)
    assert telling.direction.score(read_text("the proof")) == 0.0


def test_tasks_without_text_are_passed_over() -> None:
    tasks = _tasks("proof", 300)
    mixed = [*tasks, *(Seen(Context.of("qa"), each.qualities) for each in tasks)]
    posterior = learn(tasks, {})
    assert tell(posterior, mixed).direction == tell(posterior, tasks).direction


def test_the_score_by_hand() -> None:
    text = read_text("fix the bug")
    words = [0.0] * BUCKETS
    words[1119] = 2.0
    counts = [0.0] * COUNTS
    counts[0] = 0.5
    assert Direction(words, counts, 0.25).score(text) == pytest.approx(2 / 5**0.5 + 0.5 * text.counts[0] + 0.25)
    assert Direction(words, [0.0] * COUNTS, 0.25).score(read_text("?")) == 0.25


def test_the_fit_solves_its_normal_equations() -> None:
    texts = [read_text(prompt) for prompt in ("red fish", "blue fish", "red bird", "old bird sings")]
    targets, weights = [1.0, -1.0, 0.5, 0.0], [1.0, 2.0, 1.0, 0.5]
    direction = directions.fit(texts, targets, weights)
    bucket = next(iter(read_text("red").buckets))
    pull = sum(
        weight * (target - direction.score(text)) / len(text.buckets) ** 0.5
        for text, target, weight in zip(texts, targets, weights, strict=True)
        if bucket in text.buckets
    )
    assert direction.words[bucket] == pytest.approx(pull / directions.STIFFNESS, rel=1e-3)


def test_a_fit_cut_short_is_rougher_but_better_than_none(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _tasks("proof", 60)
    texts = [each.context.text or read_text("") for each in seen]
    targets = [each.qualities["strong"] - 0.7 for each in seen]

    def missed() -> float:
        fitted = directions.fit(texts, targets, [1.0] * len(texts))
        return sum((target - fitted.score(text)) ** 2 for text, target in zip(texts, targets, strict=True))

    full = missed()
    monkeypatch.setattr(directions, "STEPS", 1)
    assert full < missed() < sum(target * target for target in targets)


def test_the_text_moves_only_arms_with_a_loading_and_only_where_there_is_text() -> None:
    telling = Telling(Direction([0.0] * BUCKETS, [0.0] * COUNTS, 0.2), {"a": 0.5})
    beliefs = Posterior().expect(Context.of("qa"), ["a", "b"])
    moved = refined(beliefs, ["a", "b"], telling, Context.of("qa", prompt="x"))
    assert [each.mean for each in moved] == pytest.approx([0.6, 0.5])
    assert [each.spread for each in moved] == [each.spread for each in beliefs]
    assert refined(beliefs, ["a", "b"], telling, Context.of("qa")) == beliefs


def test_a_gate_that_opens_later_lets_the_text_act_from_the_next_settling() -> None:
    telling = Telling(Direction([0.0] * BUCKETS, [0.0] * COUNTS, 0.2), {"a": 1.0})
    quality, context = Quality(telling=telling), Context.of("qa", prompt="x")
    quality.update(context, "a", 1.0)
    before = quality.expect(context, ["a"])
    for _ in range(40):
        quality.gate.add(1.0, 1.0)
    assert quality.expect(context, ["a"]) == before
    quality.settle()
    assert quality.expect(context, ["a"])[0].mean == pytest.approx(
        quality.posterior.expect(context, ["a"])[0].mean + 0.2
    )
