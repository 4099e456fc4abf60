import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.shares import SECONDS, Shares, share_of

ROOT = Path(__file__).parents[1]
LONG, LONGER = "outages", "matrix"
TESTS = [
    *(f"c/test_{number}.py::test_c" for number in range(4)),
    "a/test_one.py::test_a[x@y]",
    f"a/test_long.py::test_a@{LONG}",
    "a/test_two.py::test_a",
    "a/test_one.py::TestIt::test_b",
    f"a/test_longer.py::test_a@{LONGER}",
    f"b/test_long_too.py::test_b@{LONG}",
    "a/test_two.py::test_b",
]


class Worker:
    gateway = SimpleNamespace(id="gw")
    shutting_down = False

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send_runtest_some(self, places: list[int]) -> None:
        self.sent += [TESTS[place] for place in places]

    def shutdown(self) -> None:
        self.shutting_down = True


def of(share: str) -> list[str]:
    return [test for test in TESTS if share_of(test) == share]


@pytest.fixture
def workers(pytestconfig: pytest.Config) -> tuple[Shares, Worker, Worker]:
    option = SimpleNamespace(loadscopereorder=False, numprocesses=2)
    config: Any = SimpleNamespace(option=option, getvalue=lambda _name: ["popen", "popen"], rootpath=ROOT)
    shares, one, other = Shares(config), Worker(), Worker()
    for worker in (one, other):
        shares.add_node(worker)
    for worker in (one, other):
        shares.add_node_collection(worker, TESTS)
    shares.schedule()
    return shares, one, other


def test_a_test_belongs_to_its_group_or_else_to_its_module() -> None:
    assert share_of("a/test_one.py::test_a[x@y]") == "a/test_one.py"
    assert share_of("a/test_one.py::TestIt::test_a") == "a/test_one.py"
    assert share_of("a/test_one.py::test_a[x@y]@books") == "books"


def test_one_worker_begins_with_the_longest_share_and_the_other_with_the_last(workers: Any) -> None:
    _, one, other = workers
    assert one.sent[:1] == of(LONGER)
    assert other.sent[:2] == of("a/test_two.py")


def test_every_test_is_run_once_and_a_share_by_one_worker(workers: Any) -> None:
    shares, one, other = workers
    done = {one: 0, other: 0}
    while not shares.tests_finished:
        worker = max(done, key=lambda each: len(each.sent) - done[each])
        shares.mark_test_complete(worker, TESTS.index(worker.sent[done[worker]]))
        done[worker] += 1
    assert sorted(one.sent + other.sent) == sorted(TESTS)
    assert not {*map(share_of, one.sent)} & {*map(share_of, other.sent)}


def test_what_a_dead_worker_had_left_is_run_by_the_other(workers: Any) -> None:
    shares, one, other = workers
    shares.mark_test_complete(one, TESTS.index(one.sent[0]))
    assert shares.remove_node(one) == one.sent[1]
    done = iter(other.sent)
    while not shares.tests_finished:
        shares.mark_test_complete(other, TESTS.index(next(done)))
    assert sorted([one.sent[0], *other.sent]) == sorted(TESTS)


def test_the_longest_shares_are_shares_that_there_are() -> None:
    files = [path for folder in ("tests", "packages") for path in (ROOT / folder).rglob("test_*.py")]
    groups = {name for path in files for name in re.findall(r'xdist_group\("([^"]+)"\)', path.read_text())}
    assert SECONDS.keys() <= groups | {str(path.relative_to(ROOT)) for path in files}
