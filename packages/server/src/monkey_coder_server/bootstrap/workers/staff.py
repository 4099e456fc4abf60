"""All workers that are there now, their numbers, and their figures as those of one process."""

import asyncio
from collections.abc import Iterator

from monkey_coder_server.adapters.metrics import Sums
from monkey_coder_server.bootstrap.workers.process import Post, Worker

_OWN_FIGURES = """\
# HELP monkey_coder_workers Workers that serve.
# TYPE monkey_coder_workers gauge
monkey_coder_workers {workers}
# HELP monkey_coder_worker_deaths_total Workers that ended unasked.
# TYPE monkey_coder_worker_deaths_total counter
monkey_coder_worker_deaths_total {deaths}
# HELP monkey_coder_reloads_total Replacements of all workers that were asked for.
# TYPE monkey_coder_reloads_total counter
monkey_coder_reloads_total{{outcome="done"}} {reloads_done}
monkey_coder_reloads_total{{outcome="refused"}} {reloads_refused}
"""


class Staff:
    """Of one supervisor."""

    def __init__(self) -> None:
        self._there: dict[int, Worker] = {}
        self._reserved: set[int] = set()
        self._sums = Sums()
        self.deaths = 0
        self.reloads_done = 0
        self.reloads_refused = 0

    def __iter__(self) -> Iterator[Worker]:
        return iter(list(self._there.values()))

    def reserve(self) -> int:
        """The lowest number nobody has; kept until `give_back`."""
        number = next(each for each in range(1, len(self._reserved) + 2) if each not in self._reserved)
        self._reserved.add(number)
        return number

    def give_back(self, number: int) -> None:
        """A number is free again."""
        self._reserved.discard(number)

    async def hire(self, number: int, post: Post, share: tuple[int, int]) -> Worker:
        """Start a worker, which is one (counted from 0) of how many. Raises `OSError`."""
        worker = self._there[number] = await Worker.start(number, post, share)
        return worker

    async def part(self, worker: Worker) -> int:
        """Wait for a worker's end; what it counted stays counted. Its exit code."""
        code = await worker.ended()
        self._there.pop(worker.number, None)
        self._sums.retire(worker.text)
        return code

    async def figures(self) -> bytes:
        """The figures of all, in Prometheus' text format."""
        await asyncio.gather(*[worker.look() for worker in self if worker.serving])
        summed = self._sums.text({str(worker.number): worker.text for worker in self})
        own = _OWN_FIGURES.format(
            workers=sum(worker.serving for worker in self),
            deaths=self.deaths,
            reloads_done=self.reloads_done,
            reloads_refused=self.reloads_refused,
        )
        return (summed + own).encode()
