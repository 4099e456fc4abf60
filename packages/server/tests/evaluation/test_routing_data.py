"""Recorded outcomes as they are read, put into sets, split and learnt from."""

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.evaluation.routing import baselines
from monkey_coder_server.evaluation.routing.data import (
    LCB24_ARMS,
    Outcome,
    Row,
    fold_of,
    read_prices,
    read_rows,
    set_from,
    set_names,
)
from monkey_coder_server.evaluation.routing.protocol import Anchors
from monkey_coder_server.evaluation.routing.routers import anchors, expectations, lesson
from monkey_coder_server.evaluation.routing.splits import Split, apart, five_folds


def row(name: str, benchmark: str, prompt: str | None = None, **outcomes: tuple[float, float]) -> Row:
    context = Context.of("qa", prompt=prompt)
    return Row(name, benchmark, context, prompt, {arm: Outcome(*each) for arm, each in outcomes.items()}, {})


def test_items_and_outcomes_are_read_plain_or_packed(tmp_path: Path) -> None:
    items = tmp_path / "items.jsonl.gz"
    with gzip.open(items, "wt") as out:
        for name, day, prompt in (
            ("swebv/1", "2025-01-01", "fix it"),
            ("swebv/2", None, None),
            ("swebv/3", None, None),
        ):
            out.write(
                json.dumps(
                    {
                        "item_id": name,
                        "benchmark": "swebv",
                        "task_kind": "issue-fix",
                        "lang": "python",
                        "group": "django/django",
                        "date": day,
                        "prompt": prompt,
                    }
                )
                + "\n"
            )
    outcomes = tmp_path / "outcomes.csv"
    outcomes.write_text(
        "item_id,benchmark,model,quality,cost_usd,cost_kind,effort,n_samples\n"
        "swebv/1,swebv,m,1.0,0.25,measured,17,1\nswebv/2,swebv,m,0.5,,none,,1\n"
    )
    first, second = read_rows(items, outcomes)
    assert first.outcomes == {"m": Outcome(1.0, 0.25)}
    assert first.calls == {"m": 17.0}
    assert first.context.nodes[-1] == ("issue-fix", "python", "django/django")
    assert first.context.recency > 0
    assert first.context.text is not None
    assert second.outcomes == {"m": Outcome(0.5, 0.0)}
    assert (second.calls, second.context.text, second.prompt) == ({}, None, None)


def test_a_list_price_is_read_where_rates_and_tokens_are_given(tmp_path: Path) -> None:
    models = tmp_path / "models.csv"
    models.write_text(
        "benchmark,model,price_in_per_m,price_out_per_m,assumed_in_tokens,assumed_out_tokens,note\n"
        "lcb5,m,2.0,10.0,1000,500,x\nswebv,n,,,,,run\n"
    )
    assert read_prices(models) == {("lcb5", "m"): pytest.approx(0.007)}


def test_benchmarks_of_a_family_make_one_set_and_any_other_is_its_own() -> None:
    rows = [row("1", "rb-arc"), row("2", "rb-winogrande"), row("3", "lcb24-gen"), row("4", "lcb5"), row("5", "new")]
    assert set_names(rows) == ["rb", "lcb24", "lcb5", "new"]


def test_a_set_holds_the_arms_nearly_all_rows_tried_and_the_rows_all_of_them_tried() -> None:
    rows = [row(str(number), "new", a=(1, 1), b=(1, 1)) for number in range(19)]
    rows += [row("19", "new", a=(1, 1), c=(1, 1)), row("20", "other", c=(1, 1))]
    found = set_from(rows, "new")
    assert (found.arms, len(found.rows)) == (("a", "b"), 19)


def test_an_arm_of_one_benchmark_of_a_family_is_no_arm_of_the_set() -> None:
    rows = [row("1", "rb-arc", a=(1, 1), b=(1, 1), c=(1, 1)), row("2", "rb-mbpp", a=(1, 1), b=(1, 1))]
    assert set_from(rows, "rb").arms == ("a", "b")


def test_the_arms_of_lcb24_are_those_the_protocol_lists() -> None:
    outcomes = dict.fromkeys([*sorted(LCB24_ARMS), "another"], (1.0, 1.0))
    assert len(LCB24_ARMS) == 17
    assert set(set_from([row("1", "lcb24-gen", **outcomes)], "lcb24").arms) == LCB24_ARMS


def test_the_fold_is_the_protocols() -> None:
    assert fold_of("swebv/1") == int(hashlib.sha256(b"mc-fold|swebv/1").hexdigest()[:8], 16) % 5
    found = set_from([row(f"x/{number}", "new", a=(1, 1)) for number in range(40)], "new")
    splits = list(five_folds(found))
    assert sorted(place for split in splits for place in split.test) == list(range(40))
    for split in splits:
        tested = {found.rows[place].item_id for place in split.test}
        assert not tested & {each.item_id for each in split.train}
        assert len(split.train) + len(tested) == 40


def test_folds_without_rows_are_left_out() -> None:
    assert len(list(five_folds(set_from([row("x/1", "new", a=(1, 1))], "new")))) == 1


def test_rows_apart_teach_their_own_set_first() -> None:
    of = set_from([row("1", "rb-new", a=(1, 1))], "rb")
    own, foreign, useless = row("2", "rb-arc", a=(1, 1)), row("3", "lcb5", a=(1, 1)), row("4", "lcb5", z=(1, 1))
    assert apart(of, [own, foreign, useless]) == Split([own], range(1))
    assert apart(of, [foreign, useless]).train == [foreign]
    assert apart(of, [useless]).train == []


def test_an_arm_without_outcomes_is_taken_for_the_mean_at_its_list_price() -> None:
    of = set_from([row("1", "new", a=(1, 1), b=(1, 1), c=(1, 1), d=(1, 1))], "new")
    train = [row("2", "new", a=(1.0, 2.0), b=(0.5, 4.0)), row("3", "new", a=(0.0, 2.0))]
    taught = lesson(of, Split(train, [0]), {("new", "c"): 9.0})
    assert (taught.qualities, taught.costs) == ([0.5, 0.5, 0.5, 0.5], [2.0, 4.0, 9.0, 3.0])


def test_anchors_are_of_all_training_rows_and_the_cheaper_of_equals_is_strong() -> None:
    of = set_from([row("1", "new", a=(1, 1), b=(1, 1), c=(1, 1))], "new")
    splits = [
        Split([row("2", "new", a=(0.0, 1.0), b=(1.0, 3.0), c=(1.0, 2.0))], [0]),
        Split([row("3", "new", a=(0.5, 1.0), b=(1.0, 3.0), c=(1.0, 2.0))], []),
    ]
    assert anchors(of, splits, {}) == Anchors("a", "c")


def test_what_a_router_expects_of_a_row_is_learnt_from_the_others() -> None:
    rows = [row(f"x/{number}", "new", a=(float(number < 3), 1.0), b=(0.0, 2.0)) for number in range(4)]
    of = set_from(rows, "new")
    splits = [Split([each for each in rows if each is not test], [place]) for place, test in enumerate(rows)]
    static = expectations(of, splits, {}, baselines.static)
    assert [each.qualities[0] for each in static] == pytest.approx([2 / 3, 2 / 3, 2 / 3, 1.0])
    knowing = expectations(of, splits, {}, baselines.oracle)
    assert [each.qualities[0] for each in knowing] == [1.0, 1.0, 1.0, 0.0]
    assert knowing[0].costs == [1.0, 2.0]


def test_the_mean_of_a_kind_is_shrunk_by_twenty_rows_of_all() -> None:
    def of_kind(name: str, kind: str, quality: float) -> Row:
        return Row(name, "new", Context.of(kind), None, {"a": Outcome(quality, 1.0)}, {})

    rows = [of_kind(f"x/{number}", "fix", 1.0) for number in range(30)]
    rows += [of_kind(f"y/{number}", "test", 0.0) for number in range(30)]
    of = set_from([*rows, of_kind("z", "fix", 1.0), of_kind("w", "explain", 1.0)], "new")
    found = expectations(of, [Split(rows, [60, 61])], {}, baselines.kind_mean)
    assert [each.qualities for each in found] == [[(20 * 0.5 + 30) / 50], [0.5]]


def test_neighbours_share_words_and_the_mean_counts_as_five_of_them() -> None:
    topics = [("apple pear plum", 1.0), ("stone iron wood", 0.0)]
    rows = [
        row(f"x/{number}", "new", f"{topics[number % 2][0]} {number} {number * 7}", a=(topics[number % 2][1], 1.0))
        for number in range(60)
    ]
    of = set_from([*rows, row("y", "new", None, a=(1.0, 1.0)), row("z", "new", "plum apple", a=(1.0, 1.0))], "new")
    found = expectations(of, [Split(rows, [60, 61])], {}, baselines.nearest)
    assert found[0].qualities == pytest.approx([0.5])
    # the words of a topic are in half of the rows: too common to be searched by
    assert found[1].qualities == pytest.approx([0.5])


def test_rarer_words_find_their_neighbours() -> None:
    rows = [row(f"x/{number}", "new", f"common {number}", a=(0.0, 1.0)) for number in range(57)]
    rows += [row(f"y/{number}", "new", f"common rare {number}", a=(1.0, 1.0)) for number in range(3)]
    of = set_from([*rows, row("z", "new", "a rare thing", a=(1.0, 1.0))], "new")
    found = expectations(of, [Split(rows, [60])], {}, baselines.nearest)
    assert found[0].qualities == pytest.approx([(5 * 3 / 60 + 3) / 8])
