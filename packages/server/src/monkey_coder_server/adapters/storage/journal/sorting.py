"""Tells sound records of a journal's file from damaged ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from monkey_coder_server.adapters.storage.journal import encoding
from monkey_coder_server.adapters.storage.journal.contents import Contents, OpenRequest, unknown_draft
from monkey_coder_server.adapters.storage.journal.encoding import DamagedRecord
from monkey_coder_server.adapters.storage.journal.pages import StoredRow
from monkey_coder_server.adapters.storage.journal.slots import Ended, Noted
from monkey_coder_server.adapters.storage.transaction import Parameters

VALUES_OF_OPEN, VALUES_OF_ENDING = 3, 2


@dataclass(slots=True)
class Found:
    """Sound rows by request, and a sentence about each damage."""

    open: dict[str, Parameters] = field(default_factory=dict)
    endings: dict[str, Parameters] = field(default_factory=dict)
    damages: list[str] = field(default_factory=list)

    def contents(self) -> Contents:
        """What a journal remembers of them."""
        return Contents(
            {request: OpenRequest(row["admitted"], row["number"]) for request, row in self.open.items()},
            {row["number"]: (request, len(row["record"])) for request, row in self.endings.items()},
        )

    def sort_open(self, number: int, values: Sequence[object]) -> None:
        """Take a row of an open request; one whose draft alone is damaged is kept with a draft that charges nobody."""
        request_id, admitted, draft = _text(values[0]), *map(_blob, values[1:])
        try:
            kept = encoding.admitted(request_id, admitted)
        except DamagedRecord as damage:
            self.damages.append(f"open request {request_id}: {damage}")
            return
        try:
            encoding.draft(request_id, draft)
        except DamagedRecord as damage:
            self.damages.append(f"draft of request {request_id}: {damage}")
            draft = encoding.sealed(request_id, unknown_draft(kept))
        self.open[request_id] = {"number": number, "request_id": request_id, "admitted": admitted, "draft": draft}

    def sort_ending(self, number: int, values: Sequence[object]) -> None:
        """Take a row of an ending."""
        request_id, record = _text(values[0]), _blob(values[1])
        try:
            encoding.resolved(request_id, record)
        except DamagedRecord as damage:
            self.damages.append(f"ending of request {request_id}: {damage}")
            return
        self.endings[request_id] = {"number": number, "request_id": request_id, "record": record}

    def add_missing(self, rows: Iterable[StoredRow], behind: int) -> None:
        """Take sound rows found on bare pages of requests nothing else is known of; an ending ends what was open.

        `behind` transactions were at the end of the log where SQLite sees nothing.
        """
        bare = Found()
        for row in rows:
            bare.sort_bare(row)
        missing = {request: row for request, row in bare.endings.items() if request not in self.endings}
        self.endings |= missing
        still_open = {request: row for request, row in (bare.open | self.open).items() if request not in self.endings}
        found = len(missing) + len(still_open.keys() - self.open.keys())
        self.open = still_open
        if found:
            self.damages.append(f"{found} records were found on bare pages ({behind} transactions of the log unread)")
        self._number_anew()

    def add_held(self, held: Iterable[Noted | Ended]) -> "Found":
        """Take what slots hold of requests that no row tells more of; what was taken.

        A note that is not sound is half written, by a machine that died: no caller had anything of that request.
        """
        added = Found()
        for number, one in enumerate(held, start=1 + self._last()):
            if one.request_id in self.endings:
                continue
            if isinstance(one, Ended):
                added.sort_ending(number, (one.request_id.encode(), one.record))
            elif one.request_id not in self.open:
                noted = Found()
                noted.sort_open(number, (one.request_id.encode(), one.admitted, one.draft))
                added.open |= noted.open
        self.open |= added.open
        self.endings |= added.endings
        self.damages += added.damages
        return added

    def _last(self) -> int:
        return max((row["number"] for rows in (self.open, self.endings) for row in rows.values()), default=0)

    def sort_bare(self, row: StoredRow) -> None:
        """Take a row if it is one of ours and sound; say nothing of another."""
        if len(row.values) == VALUES_OF_OPEN:
            self.sort_open(row.number, row.values)
        elif len(row.values) == VALUES_OF_ENDING:
            self.sort_ending(row.number, row.values)

    def _number_anew(self) -> None:
        """Rows found apart from each other may bear the same number."""
        for rows in (self.open, self.endings):
            ordered = sorted(rows.items(), key=lambda item: item[1]["number"])
            rows.clear()
            rows.update({request: {**row, "number": at} for at, (request, row) in enumerate(ordered, start=1)})


def _text(value: object) -> str:
    """A request's id, as far as it is legible."""
    return value.decode(errors="replace") if isinstance(value, bytes) else repr(value)


def _blob(value: object) -> bytes:
    """A record; what is none fails its checksum."""
    return value if isinstance(value, bytes) else b""
