"""A decision comes out as its plain, slower definition says, and the same for the same seed."""

from itertools import pairwise
from math import erfc, exp, log, sqrt
from random import Random
from zlib import crc32

from monkey_coder_server.domain.bandit.choice import best_probabilities, drawn
from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.domain.bandit.directions import Direction
from monkey_coder_server.domain.bandit.gate import FEWEST, Gate
from monkey_coder_server.domain.bandit.posterior import Belief, Posterior
from monkey_coder_server.domain.bandit.quality import Quality, Telling
from monkey_coder_server.domain.bandit.text import BUCKETS, COUNTS, read_text

ARMS = tuple(f"arm {number}" for number in range(20))
PLACES = (-2.6, -1.7, -1.0, -0.45, 0.0, 0.45, 1.0, 1.7, 2.6)
LETTERS = "abcdefgh 0123\n.,_é{}(AB"


def plain_probabilities(utilities: list[Belief]) -> list[float]:
    """Each arm's integral of the probability that all are below, over the logarithm of its own distribution."""
    floor = max(mean - 3 * spread for mean, spread in utilities)
    rivals = {place: each for place, each in enumerate(utilities) if each.mean + 3 * each.spread >= floor}
    top = max(mean + 3 * spread for mean, spread in rivals.values())
    inside = sorted(
        point for mean, spread in rivals.values() for at in PLACES if floor < (point := mean + at * spread) < top
    )
    step = -(-len(inside) // 20)
    points = [floor, *inside[step // 2 :: step], top]
    logs = {
        place: [log(erfc((mean - point) / (spread * sqrt(2))) / 2) for point in points]
        for place, (mean, spread) in rivals.items()
    }
    all_below = [sum(row[at] for row in logs.values()) for at in range(len(points))]
    found = [0.0] * len(utilities)
    for place, row in logs.items():
        for (low, high), (before, after) in zip(pairwise(all_below), pairwise(row), strict=True):
            found[place] += (exp(high) - exp(low)) * (after - before) / ((high - low) or 1.0)
    return [each / sum(found) for each in found]


def plain_buckets(prompt: str) -> frozenset[int]:
    """The hashes of words and of pairs of words, modulo the number of buckets."""
    words, word = [], b""
    for byte in prompt[:2_000].lower().encode() + b" ":
        if byte >= 0x80 or chr(byte).isalnum() or byte == ord("_"):
            word += bytes([byte])
        elif word:
            words.append(word)
            word = b""
    return frozenset(crc32(each) % BUCKETS for each in [*words, *(a + b for a, b in pairwise(words))])


def taught(random: Random) -> Quality:
    posterior = Posterior()
    for turn in range(1_000):
        posterior.update(Context.of("fix", "python", f"group {turn % 5}"), random.choice(ARMS), random.random())
    posterior.settle()
    gate = Gate()
    for _ in range(FEWEST):
        gate.add(1.0, 1.0)
    direction = Direction([random.gauss(0, 0.01) for _ in range(BUCKETS)], [0.01] * COUNTS, 0.0)
    return Quality(posterior, Telling(direction, {arm: random.gauss(0, 1) for arm in ARMS}), gate)


def decisions(seed: int) -> list[tuple[int, int]]:
    """The arms that are drawn, and those the plain definition would draw."""
    random = Random(seed)
    quality = taught(random)
    found = []
    for turn in range(100):
        prompt = "".join(random.choices(LETTERS, k=2_000))
        context = Context.of("fix", "python", f"group {turn % 6}", prompt=prompt)
        assert context.text is not None
        assert context.text.buckets == plain_buckets(prompt)
        drawn_from = [Belief(mean, random.choice((0.5, 1)) * spread) for mean, spread in quality.expect(context, ARMS)]
        uniform = random.random()
        probabilities, plain = best_probabilities(drawn_from), plain_probabilities(drawn_from)
        assert max(abs(ours - theirs) for ours, theirs in zip(probabilities, plain, strict=True)) < 1e-9
        found.append((drawn(probabilities, uniform), drawn(plain, uniform)))
    return found


def test_what_is_drawn_is_what_the_plain_definition_draws() -> None:
    for seed in range(4):
        for ours, theirs in decisions(seed):
            assert ours == theirs


def test_the_same_seed_draws_the_same() -> None:
    assert decisions(7) == decisions(7)
    assert decisions(7) != decisions(8)


def test_a_text_of_no_words_falls_into_no_buckets() -> None:
    assert read_text(" .,\n").buckets == frozenset()
