"""Who spends, when, and on what: the terms in which caps and limits count."""

from datetime import UTC, datetime

from monkey_coder_server.domain.ledger import cap_periods
from monkey_coder_server.ports.record import Record

TOTAL = "total"


class Spender(Record, frozen=True):
    """A key of an account, and the UTC day and month its spending counts for."""

    account_id: str
    key_id: str
    day: str
    month: str

    @property
    def periods(self) -> tuple[str, str, str]:
        """What the key's counters are kept by."""
        return self.day, self.month, TOTAL

    @property
    def midnight(self) -> datetime:
        """When the day began."""
        return datetime.fromisoformat(self.day).replace(tzinfo=UTC)


class Used(Record, frozen=True):
    """What a request came to beside its charge: the model that served it (`provider/model`) and all its tokens."""

    model: str = ""
    tokens: int = 0


NOTHING_USED = Used()


def spender(account_id: str, key_id: str, at: datetime) -> Spender:
    """A key spending at a moment."""
    return Spender(account_id, key_id, *cap_periods(at))


def kept_models(models: tuple[str, ...]) -> str:
    """Models as a hold's row keeps them."""
    return " ".join(models)


def read_models(kept: str | None) -> tuple[str, ...]:
    """Models of a hold's row; none of one from before they were kept."""
    return tuple(kept.split()) if kept else ()
