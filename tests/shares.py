"""How the tests are shared between workers: whole modules or groups, the longest at one end of the queue.

A module's fixtures are then made once and not once a worker, and what takes minutes does not begin last. Of two
workers one mostly waits for programs that it started while the other computes.
"""

from collections import OrderedDict

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling
from xdist.workermanage import WorkerController

SECONDS = {
    "books": 250,
    "matrix": 240,
    "tests/test_openapi_fuzzed.py": 170,
    "faults of providers": 150,
    "gateway": 140,
    "month": 100,
    "kills": 80,
    "kills beside another": 80,
    "outages of gateways": 60,
    "enumeration": 60,
    "hostile": 50,
    "recordings": 50,
    "idempotency of SDKs": 50,
    "runaway": 40,
    "exactness": 40,
    "rates over HTTP": 40,
    "books of two": 40,
    "gateways on postgresql": 40,
    "outages": 40,
    "reconciliation": 30,
    "unknown usage": 30,
    "tests/test_verified_monkey.py": 30,
}
"""About how long the longest shares take, by group or module. Shares that are not named come in any order."""


def share_of(test: str) -> str:
    """The group of a test, which its id ends with, or else its module: one worker runs all of it in one go."""
    group = test.rpartition("@")[2] if test.rfind("@") > test.rfind("]") else ""
    return group or test.partition("::")[0]


class Shares(LoadGroupScheduling):
    """Hands out the shares of a queue: every other worker takes from the front, where the longest are, or the back."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        self._places: dict[str, int] = {}

    def _split_scope(self, nodeid: str) -> str:
        return share_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        if not self._places:
            self._begin()
        from_the_back = list(self.assigned_work).index(node) % 2 == 1
        share, tests = self.workqueue.popitem(last=from_the_back)
        self.assigned_work[node][share] = tests
        node.send_runtest_some([self._places[test] for test in tests])

    def _begin(self) -> None:
        """All workers found the same tests: say them by their places, and put the longest shares in front."""
        self._places = {test: place for place, test in enumerate(self.collection or ())}
        ordered = sorted(self.workqueue.items(), key=lambda share: -SECONDS.get(share[0], 0))
        self.workqueue = OrderedDict(ordered)

    def mark_test_complete(self, node: WorkerController, item_index: int, _duration: float = 0) -> None:
        """Forget the test: what is kept is counted again after each one."""
        test = self.registered_collections[node][item_index]
        share, mine = share_of(test), self.assigned_work[node]
        del mine[share][test]
        if not mine[share]:
            del mine[share]
        self._reschedule(node)
