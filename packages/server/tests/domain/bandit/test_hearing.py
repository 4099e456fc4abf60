"""The text is heard where it foretold outcomes, nowhere else, and the better arm is chosen by it then."""

import pytest

from monkey_coder_server.domain.bandit.checkpoint import Delta, Stored, Sum
from monkey_coder_server.domain.bandit.evidence import Tally
from monkey_coder_server.domain.bandit.hearing import IN_FULL, Hearing
from monkey_coder_server.domain.bandit.mark_weights import MarkWeights
from monkey_coder_server.domain.bandit.marks import MARKS, read_marks
from monkey_coder_server.domain.bandit.surprises import Surprises
from packages.server.tests.domain.bandit.listening import ARMS, PERIOD, Listener, World, listen

APART = {"a": 0.35, "b": -0.35}
MARKED = read_marks("a quaternion", 5)


class Books:
    """Sums of all processes."""

    def __init__(self) -> None:
        self.sums: dict[tuple[tuple[str, ...], str], Tally] = {}

    def take(self, surprises: Surprises, *, most: int = 100) -> None:
        while (delta := surprises.delta(most)) is not None:
            assert len(delta.sums) <= most
            self.add(delta)
            surprises.sent(delta.sequence)

    def add(self, delta: Delta) -> None:
        for node, arm, tally, _ in delta.sums:
            self.sums.setdefault((node, arm), Tally()).merge(tally)

    def stored(self, applied: int = 0) -> Stored:
        return Stored([Sum(*place, tally) for place, tally in self.sums.items()], applied)


@pytest.mark.parametrize("seed", range(15))
def test_text_that_tells_nothing_is_never_heard(seed: int) -> None:
    listener = Listener()
    assert listen(World(seed), listener, 400) is None
    assert listener.hearing.standing("acct_1", PERIOD).gain < 1.0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("effects", [APART, dict.fromkeys(ARMS, -0.3)])
def test_text_that_tells_is_heard_by_and_by(seed: int, effects: dict[str, float]) -> None:
    opened = listen(World(seed, effects), Listener(), 500)
    assert opened is not None
    assert opened >= 30


@pytest.mark.parametrize("seed", range(4))
def test_hearing_it_chooses_better(seed: int) -> None:
    world, listener = World(seed, APART), Listener()
    listen(world, listener, 500)
    deaf = hearing = 0.0
    for _ in range(200):
        marks, holds = world.prompt()
        plain = [listener.believed(arm) for arm in ARMS]
        heard = [each + shift for each, shift in zip(plain, listener.hearing.shifts(ARMS, marks), strict=True)]
        deaf += world.quality(ARMS[plain.index(max(plain))], holds=holds)
        hearing += world.quality(ARMS[heard.index(max(heard))], holds=holds)
    assert hearing > deaf + 200 * 0.1


def test_the_gate_closes_when_the_text_no_longer_tells() -> None:
    listener = Listener()
    listen(World(1, APART), listener, 400)
    assert listener.is_open()
    listen(World(1, {arm: -effect for arm, effect in APART.items()}), listener, 150)
    assert not listener.is_open()


def test_what_was_earned_long_ago_is_earned_no_more() -> None:
    listener = Listener()
    listen(World(1, APART), listener, 400)
    assert listener.is_open(period=PERIOD + 1)
    assert not listener.is_open(period=PERIOD + 2)
    listener.hearing.surprises.forget(PERIOD + 1)
    assert not listener.is_open(period=PERIOD + 1)


def test_what_one_account_earned_another_has_not() -> None:
    listener = Listener()
    listen(World(1, APART), listener, 400)
    assert listener.is_open()
    assert not listener.is_open("acct_2")


def test_a_busy_account_counts_less_and_less() -> None:
    hearing = Hearing()
    shares = []
    for _ in range(2 * int(IN_FULL)):
        foretold = hearing.foretell("acct_1", PERIOD, "a", MARKED, 0.5)
        shares.append(foretold.share)
        hearing.learn(foretold, 1.0, 1.0)
    assert shares[: int(IN_FULL)] == [1.0] * int(IN_FULL)
    assert shares[-1] == pytest.approx(0.5, abs=0.01)


def test_an_outcome_that_is_taken_back_leaves_nothing() -> None:
    hearing = Hearing()
    foretold = hearing.foretell("acct_1", PERIOD, "a", MARKED, 0.3)
    hearing.learn(foretold, 1.0, 0.5)
    hearing.learn(foretold, 1.0, -0.5)
    assert hearing.surprises.delta(1_000) == Delta(1, (Sum(("account", str(PERIOD)), "acct_1", Tally()),))
    assert hearing.standing("acct_1", PERIOD) == (0.0, 0.0)


def test_a_new_process_hears_what_the_one_before_did() -> None:
    before, books = Listener(), Books()
    listen(World(2, APART), before, 400)
    books.take(before.hearing.surprises)
    after = Listener()
    after.hearing.surprises.read(books.stored())
    before.settle()
    after.settle()
    assert after.is_open()
    assert after.hearing.shifts(ARMS, MARKED) == pytest.approx(before.hearing.shifts(ARMS, MARKED))


def test_what_processes_learn_adds_up_in_any_order() -> None:
    alone, books = Listener(), [Books(), Books()]
    parts = [Listener(), Listener()]
    world = World(3, APART)
    for number in range(int(IN_FULL)):
        marks, holds = world.prompt()
        arm, quality = ARMS[number % 3], float(world.random.random() < world.quality(ARMS[number % 3], holds=holds))
        for listener in (alone, parts[number % 2]):
            listener.hearing.learn(listener.hearing.foretell("acct_1", PERIOD, arm, marks, 0.5), quality, 1.0)
    deltas = [delta for part in parts if (delta := part.hearing.surprises.delta(10_000)) is not None]
    for book, order in zip(books, (deltas, deltas[::-1]), strict=True):
        for delta in order:
            book.add(delta)
    for part, book in zip(parts, books, strict=True):
        part.hearing.surprises.read(book.stored(1))
    for listener in (alone, *parts):
        listener.settle()
        assert listener.hearing.shifts(ARMS, MARKED) == pytest.approx(alone.hearing.shifts(ARMS, MARKED))
        standing = listener.hearing.standing("acct_1", PERIOD)
        assert standing == pytest.approx(alone.hearing.standing("acct_1", PERIOD))


def test_what_is_on_its_way_counts_once() -> None:
    listener, books = Listener(), Books()
    for number in range(4):
        listener.learn("a", MARKED, float(number % 2))
    delta = listener.hearing.surprises.delta(3)
    assert delta is not None
    listener.learn("a", MARKED, 1.0)
    assert listener.hearing.surprises.delta(3) is delta
    before = totals(listener.hearing)
    listener.hearing.surprises.read(books.stored(0))
    books.add(delta)
    listener.hearing.surprises.read(books.stored(delta.sequence))
    assert totals(listener.hearing) == pytest.approx(before)
    books.take(listener.hearing.surprises)
    listener.hearing.surprises.read(books.stored())
    assert totals(listener.hearing) == pytest.approx(before)
    assert listener.hearing.surprises.delta(3) is None


def test_an_acknowledgement_that_was_lost_is_read_from_the_kept_sums() -> None:
    listener, books = Listener(), Books()
    listener.learn("a", MARKED, 1.0)
    before, standing = totals(listener.hearing), listener.hearing.standing("acct_1", PERIOD)
    delta = listener.hearing.surprises.delta(1_000)
    assert delta is not None
    books.add(delta)
    others = Books()
    others.sums = {place: Tally(1.0, 1.0) for place in books.sums}
    listener.hearing.surprises.read(others.stored(0))
    assert totals(listener.hearing) == pytest.approx([each + 1.0 if each else 0.0 for each in before], abs=1.0)
    listener.hearing.surprises.read(books.stored(delta.sequence))
    assert totals(listener.hearing) == pytest.approx(before)
    assert listener.hearing.standing("acct_1", PERIOD) == pytest.approx(standing)


def test_the_same_outcomes_are_heard_the_same_way() -> None:
    heard = []
    for _ in range(2):
        listener = Listener()
        listen(World(5, APART), listener, 120)
        heard.append((listener.hearing.shifts(ARMS, MARKED), listener.hearing.standing("acct_1", PERIOD)))
    assert heard[0] == heard[1]


def test_before_anything_was_seen_nothing_is_said() -> None:
    assert Hearing().shifts(ARMS, MARKED) == [0.0, 0.0, 0.0]
    assert MarkWeights.of([]).shifts(ARMS, MARKED) == [0.0, 0.0, 0.0]


def totals(hearing: Hearing) -> list[float]:
    found = [0.0] * MARKS
    for _, sums in hearing.surprises.copied():
        for mark in range(MARKS):
            found[mark] += sums.weights[mark]
    return found
