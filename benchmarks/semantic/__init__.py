"""How often a request in other words is taken for the same, rightly and wrongly, by likeness and by what must agree.

On tasks of MBPP and questions of GSM8K: two editions of a task as people wrote them, tasks beside those nearest to
them, rewordings and edits by a seeded generator. The least likeness the gateway asks for follows from these figures.
"""

from collections.abc import Iterable, Sequence
from time import perf_counter

from benchmarks.semantic import pairs
from benchmarks.semantic.figures import Seen, lowest_limit, share, taken
from monkey_coder_server.adapters.embedding.wordllama import WordLlama, missing
from monkey_coder_server.domain.rewording import LEAST_SIMILARITY, kernel, similarity

SHOWN = sorted({0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99, LEAST_SIMILARITY})


class Likeness:
    """Vectors of texts, each made once."""

    def __init__(self) -> None:
        self._model = WordLlama()
        self._known: dict[str, Sequence[float]] = {}

    def of(self, text: str) -> Sequence[float]:
        """The vector of a text."""
        if text not in self._known:
            self._known[text] = self._model.vector_of(text)
        return self._known[text]

    def see(self, told: Iterable[pairs.Pair]) -> Sequence[Seen]:
        """What the gateway would see of each pair."""
        return [
            Seen(
                each.kind,
                similarity(self.of(each.one), self.of(each.other)),
                same=each.same,
                agrees=kernel(each.one) is not None and kernel(each.one) == kernel(each.other),
            )
            for each in told
        ]

    def all_pairs(self) -> Sequence[Seen]:
        """Of people and of the generator."""
        vectors = {task: self.of(task) for task in pairs.tasks()}
        return [*self.see(pairs.of_people(vectors)), *self.see(pairs.made())]


def main() -> None:
    if (lacking := missing()) is not None:
        print(f"semantic cache: {lacking}")
        return
    began = perf_counter()
    seen = Likeness().all_pairs()
    same, other = [each for each in seen if each.same], [each for each in seen if not each.same]
    seconds = perf_counter() - began
    print(f"semantic cache: {len(same)} pairs that ask the same, {len(other)} that do not, {seconds:.1f} s")
    print("95 % intervals (Wilson) in brackets; `vectors` by likeness alone, `gateway` also by what must agree")
    print()
    _print_limits("hit rate: of pairs that ask the same", same)
    _print_limits("false-hit rate: of pairs that ask something else", other)
    _print_kinds(seen)
    by_rule = lowest_limit(seen, pairs.NEIGHBOURS)
    print(f"\nthe lowest likeness that is safe enough: {by_rule}; the gateway asks for {LEAST_SIMILARITY}")


def _print_limits(title: str, told: Sequence[Seen]) -> None:
    print(title)
    print(f"  {'least likeness':<16}{'vectors':<38}gateway")
    for limit in SHOWN:
        both = [str(share(told, taken(limit, guarded=guarded))) for guarded in (False, True)]
        chosen = "*" if limit == LEAST_SIMILARITY else " "
        print(f" {chosen}{limit:<16}{both[0]:<38}{both[1]}")
    print()


def _print_kinds(seen: Sequence[Seen]) -> None:
    print(f"at {LEAST_SIMILARITY}, by kind (= asks the same, ! something else)")
    print(f"  {'':<26}{'vectors':<38}gateway")
    for kind in dict.fromkeys(each.kind for each in seen):
        those = [each for each in seen if each.kind == kind]
        both = [str(share(those, taken(LEAST_SIMILARITY, guarded=guarded))) for guarded in (False, True)]
        print(f"{'=' if those[0].same else '!'} {kind:<26}{both[0]:<38}{both[1]}")
