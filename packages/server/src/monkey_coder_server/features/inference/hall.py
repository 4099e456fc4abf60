"""What every door of a foreign dialect opens onto, and how its paths become routes."""

from collections.abc import Iterator, Sequence

from monkey_coder_server.domain.scopes import EXECUTE
from monkey_coder_server.features.inference.desk import Desk
from monkey_coder_server.features.inference.door import Door, Memory
from monkey_coder_server.features.inference.guards import Guards
from monkey_coder_server.features.inference.pipeline import Pipeline
from monkey_coder_server.features.inference.problems import Problems
from monkey_coder_server.features.inference.response_cache import ResponseCache
from monkey_coder_server.ports.answers import Answers
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.front import Front
from monkey_coder_server.ports.record import Record
from monkey_coder_server.ports.telemetry import Telemetry
from monkey_coder_server.web.feature import Endpoint, Route


class Hall(Record, frozen=True):
    """What every door opens onto. `top_up_url` is where a user adds credit, `keep_alive` in seconds."""

    desk: Desk
    pipeline: Pipeline
    clock: Clock
    top_up_url: str
    keep_alive: float
    answers: Answers
    telemetry: Telemetry
    guards: Guards
    cache: ResponseCache

    def door(self, front: Front, endpoint: str, *, memory: Memory | None = None) -> Door:
        """One endpoint of a dialect; `endpoint` names it in logs and books."""
        return Door(
            front,
            self.desk,
            self.pipeline,
            self.clock,
            self.problems(front),
            self.guards,
            self.cache,
            endpoint=endpoint,
            keep_alive=self.keep_alive,
            memory=memory,
        )

    def problems(self, front: Front) -> Problems:
        """Errors in the dialect's own shape."""
        return Problems(front, self.top_up_url)


def posts(paths: Sequence[str], endpoint: Endpoint, problems: Problems) -> Iterator[Route]:
    """One endpoint under each of its paths."""
    for path in paths:
        yield Route("POST", path, endpoint, auth="key", scope=EXECUTE, errors=problems)
