"""The least likeness the gateway asks for is what its rule gives on public pairs, none of which is taken wrongly."""

from collections.abc import Sequence

import pytest

from benchmarks.semantic import Likeness, pairs
from benchmarks.semantic.figures import MOST_WRONG, Seen, Share, lowest_limit, share, taken
from monkey_coder_server.adapters.embedding.wordllama import missing
from monkey_coder_server.domain.rewording import LEAST_SIMILARITY
from monkey_coder_server.settings import load

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(scope="module")
def seen() -> Sequence[Seen]:
    return Likeness().all_pairs()


def test_the_limit_follows_from_the_pairs(seen: Sequence[Seen]) -> None:
    assert lowest_limit(seen, pairs.NEIGHBOURS) == LEAST_SIMILARITY == float(load({}).semantic_cache_similarity)


def test_what_asks_something_else_is_not_taken_for_the_same(seen: Sequence[Seen]) -> None:
    wrong = share((each for each in seen if not each.same), taken(LEAST_SIMILARITY, guarded=True))
    assert wrong.all > 3_000
    assert wrong.taken == 0
    assert wrong.bounds[1] < MOST_WRONG


def test_vectors_alone_would_be_wrong_every_other_time(seen: Sequence[Seen]) -> None:
    wrong = share((each for each in seen if not each.same), taken(LEAST_SIMILARITY, guarded=False))
    assert wrong.bounds[0] > 0.4


def test_as_many_are_found_as_the_documentation_says(seen: Sequence[Seen]) -> None:
    same = [each for each in seen if each.same]
    found = share(same, taken(LEAST_SIMILARITY, guarded=True))
    assert found.bounds[0] < 0.34 < found.bounds[1]
    editions = share((each for each in same if each.kind == pairs.EDITIONS), taken(LEAST_SIMILARITY, guarded=True))
    assert editions == Share(8, 30)


@pytest.mark.parametrize(
    ("counted", "low", "high"),
    [(Share(0, 10), 0.0, 0.2775), (Share(10, 10), 0.7225, 1.0), (Share(5, 10), 0.2366, 0.7634), (Share(0, 0), 0, 1)],
)
def test_intervals_are_those_of_wilson(counted: Share, low: float, high: float) -> None:
    assert counted.bounds == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_where_no_limit_is_safe_that_is_said() -> None:
    with pytest.raises(ValueError, match="no limit"):
        lowest_limit([Seen(pairs.NEIGHBOURS, 1.0, same=False, agrees=True)] * 100, pairs.NEIGHBOURS)


def test_the_sample_is_the_same_each_time() -> None:
    assert list(pairs.made()) == list(pairs.made())
