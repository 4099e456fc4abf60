"""What processes see adds up to the same for all of them, whatever is lost or sent again on the way."""

from dataclasses import astuple, dataclass, field
from random import Random

import pytest

from monkey_coder_server.domain.bandit.checkpoint import Delta, SharedEvidence, Stored, Sum
from monkey_coder_server.domain.bandit.context import Context, Node
from monkey_coder_server.domain.bandit.evidence import Evidence, Tally

PYTHON = Context.of("codegen", "python", "acc_1")
RUST = Context.of("fix", "rust", "acc_2")
MANY = 1_000


@dataclass
class Kept:
    """The kept sums, as a store keeps them."""

    sums: dict[tuple[Node, str], Tally] = field(default_factory=dict)
    eras: dict[tuple[Node, str], int] = field(default_factory=dict)
    applied: dict[str, int] = field(default_factory=dict)

    def add(self, instance: str, delta: Delta) -> None:
        if delta.sequence > self.applied.get(instance, 0):
            self.applied[instance] = delta.sequence
            for node, arm, tally, era in delta.sums:
                if era > self.eras.get((node, arm), 0):
                    self.eras[node, arm], self.sums[node, arm] = era, Tally()
                if era == self.eras.get((node, arm), 0):
                    self.sums.setdefault((node, arm), Tally()).merge(tally)

    def told(self, instance: str) -> Stored:
        sums = [Sum(*place, tally, self.eras.get(place, 0)) for place, tally in self.sums.items()]
        return Stored(sums, self.applied.get(instance, 0))


def figures(evidence: Evidence) -> dict[tuple[Node, str], tuple[float, ...]]:
    return {(node, arm): astuple(tally) for node, arms in evidence.nodes.items() for arm, tally in arms.items()}


def flush(evidence: SharedEvidence, kept: Kept, instance: str) -> None:
    while delta := evidence.delta(3):
        kept.add(instance, delta)
        evidence.sent(delta.sequence)


def test_nothing_seen_is_nothing_to_send() -> None:
    assert SharedEvidence().delta(MANY) is None


def test_what_was_seen_counts_at_once_and_is_sent_once() -> None:
    evidence = SharedEvidence()
    evidence.add(PYTHON, "a/b", 1.0, 0.5)
    assert evidence.at(("codegen",))["a/b"] == Tally(0.5, 0.5, 0.5)
    delta = evidence.delta(MANY)
    assert delta is not None
    assert {each.node for each in delta.sums} == set(PYTHON.nodes)
    assert all(each.tally == Tally(0.5, 0.5, 0.5) for each in delta.sums)
    evidence.sent(delta.sequence)
    assert evidence.delta(MANY) is None


def test_a_delta_is_sent_again_unchanged_until_it_is_known_to_be_there() -> None:
    evidence = SharedEvidence()
    evidence.add(PYTHON, "a/b", 1.0)
    first = evidence.delta(MANY)
    evidence.add(PYTHON, "a/b", 0.0)
    assert evidence.delta(MANY) == first
    evidence.sent(0)
    assert evidence.delta(MANY) == first
    evidence.sent(1)
    second = evidence.delta(MANY)
    assert second is not None
    assert (second.sequence, second.sums[0].tally) == (2, Tally(1.0, 0.0, 0.0))


def test_a_long_delta_goes_in_pieces_each_sorted() -> None:
    evidence = SharedEvidence()
    for arm in ("c", "a", "b"):
        evidence.add(PYTHON, arm, 1.0)
    seen = []
    while delta := evidence.delta(5):
        places = [(each.node, each.arm) for each in delta.sums]
        assert places == sorted(places)
        assert len(places) <= 5
        seen += places
        evidence.sent(delta.sequence)
    assert len(seen) == len(set(seen)) == 12


def test_a_delta_whose_acknowledgement_was_lost_counts_once() -> None:
    kept, evidence = Kept(), SharedEvidence()
    evidence.add(PYTHON, "a/b", 1.0)
    delta = evidence.delta(MANY)
    assert delta is not None
    kept.add("one", delta)
    evidence.add(PYTHON, "a/b", 0.0)
    evidence.read(kept.told("one"))
    assert evidence.at(())["a/b"].rows == 2.0
    again = evidence.delta(MANY)
    assert again is not None
    assert again.sequence == 2
    kept.add("one", again)
    kept.add("one", again)
    assert kept.sums[(), "a/b"].rows == 2.0


def test_what_was_sent_and_is_not_there_yet_is_believed_beside_what_was_read() -> None:
    kept, evidence, other = Kept(), SharedEvidence(), SharedEvidence()
    other.add(PYTHON, "a/b", 1.0)
    flush(other, kept, "other")
    evidence.add(PYTHON, "a/b", 1.0)
    assert evidence.delta(MANY) is not None
    evidence.add(PYTHON, "a/b", 1.0)
    evidence.read(kept.told("one"))
    assert evidence.at(())["a/b"].rows == 3.0
    evidence.read(kept.told("one"))
    assert evidence.at(())["a/b"].rows == 3.0
    assert kept.sums[(), "a/b"].rows == 1.0


def test_what_is_not_told_stays_as_it_is() -> None:
    evidence = SharedEvidence()
    evidence.add(RUST, "a/b", 1.0)
    evidence.read(Stored([Sum(("codegen",), "c/d", Tally(7.0, 3.0))], 0))
    assert evidence.at(("fix",))["a/b"].rows == 1.0
    assert evidence.at(("codegen",))["c/d"] == Tally(7.0, 3.0)


FINEST = PYTHON.nodes[-1]


def process(kept: Kept, name: str, *outcomes: float) -> SharedEvidence:
    evidence = SharedEvidence()
    evidence.read(kept.told(name))
    for quality in outcomes:
        evidence.add(Context((FINEST,)), "a/b", quality)
    return evidence


def test_what_was_given_up_is_replaced_everywhere_and_what_comes_late_counts_no_more() -> None:
    kept = Kept()
    one, two = process(kept, "one", *[1.0] * 40), process(kept, "two", 1.0, 1.0)
    flush(one, kept, "one")
    flush(two, kept, "two")
    two.add(Context((FINEST,)), "a/b", 1.0)
    one.begin_era(FINEST, "a/b", Tally(15.0, 3.0, 3.0))
    one.add(Context((FINEST,)), "a/b", 0.0)
    assert one.at(FINEST)["a/b"].rows == 16.0
    one.read(kept.told("one"))
    assert one.at(FINEST)["a/b"].rows == 16.0
    flush(one, kept, "one")
    late = two.delta(MANY)
    assert late is not None
    two.read(kept.told("two"))
    assert two.at(FINEST)["a/b"] == one.at(FINEST)["a/b"] == Tally(16.0, 3.0, 3.0)
    assert two.era(FINEST, "a/b") == one.era(FINEST, "a/b") == 1
    kept.add("two", late)
    two.sent(late.sequence)
    two.add(Context((FINEST,)), "a/b", 1.0)
    flush(two, kept, "two")
    assert kept.sums[FINEST, "a/b"].rows == 17.0


def test_what_was_not_sent_of_the_era_before_is_dropped_where_a_new_one_is_read() -> None:
    kept = Kept()
    one, two = process(kept, "one", 1.0), process(kept, "two", 1.0)
    one.begin_era(FINEST, "a/b", Tally(15.0, 3.0, 3.0))
    flush(one, kept, "one")
    two.read(kept.told("two"))
    assert two.at(FINEST)["a/b"] == Tally(15.0, 3.0, 3.0)
    assert two.delta(MANY) is None


def test_processes_that_give_up_at_once_keep_what_both_left() -> None:
    kept = Kept()
    both = [process(kept, name, *[1.0] * 40) for name in ("one", "two")]
    for name, evidence in zip(("one", "two"), both, strict=True):
        evidence.begin_era(FINEST, "a/b", Tally(15.0, 3.0, 3.0))
        flush(evidence, kept, name)
    assert kept.sums[FINEST, "a/b"].rows == 30.0


@pytest.mark.parametrize("seed", range(20))
def test_processes_that_flush_and_read_as_it_comes_end_up_with_what_one_would_have_seen(seed: int) -> None:
    random, kept, alone = Random(seed), Kept(), Evidence()
    processes = {name: SharedEvidence() for name in ("one", "two", "three")}
    for _ in range(200):
        name = random.choice(list(processes))
        evidence, step = processes[name], random.random()
        if step < 0.6:
            outcome = (random.choice([PYTHON, RUST]), random.choice("abc"), random.random(), random.choice([0.3, 1.0]))
            evidence.add(*outcome)
            alone.add(*outcome)
        elif step < 0.8:
            evidence.read(kept.told(name))
        elif delta := evidence.delta(2):
            if random.random() < 0.7:
                kept.add(name, delta)
            if name in kept.applied and kept.applied[name] == delta.sequence and random.random() < 0.5:
                evidence.sent(delta.sequence)
    for name, evidence in processes.items():
        flush(evidence, kept, name)
    for name, evidence in processes.items():
        evidence.read(kept.told(name))
        seen = figures(evidence)
        assert seen.keys() == figures(alone).keys()
        for place, expected in figures(alone).items():
            assert seen[place] == pytest.approx(expected)
