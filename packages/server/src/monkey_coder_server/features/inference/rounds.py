"""A task whose caller checks the answers where its code is, and asks again, naming those that failed."""

from monkey_coder_server.features.inference.outcomes import ServedBy
from monkey_coder_server.ports.record import Record


class Failure(Record, frozen=True):
    """A served request whose answer failed the caller's check, and who served it."""

    request_id: str
    by: ServedBy


class Rounds(Record, frozen=True):
    """How far such a task has come: what it is checked with, and what failed so far, first to last."""

    verifier: str
    failed: tuple[Failure, ...] = ()

    @property
    def number(self) -> int:
        """Which answer is asked for now, from 1."""
        return len(self.failed) + 1

    @property
    def models(self) -> tuple[str, ...]:
        """Those whose answers failed (`provider/model`)."""
        return tuple([each.by.model for each in self.failed])

    @property
    def request_ids(self) -> tuple[str, ...]:
        """The requests that failed."""
        return tuple([each.request_id for each in self.failed])
