"""Any order of intents, drafts, endings and forgetting, with crashes in between, against a model in memory."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory, Options
from monkey_coder_server.adapters.storage.journal.journal import SqliteJournal
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.journal import Draft, Intent
from monkey_coder_server.ports.ledger import HoldRequest
from packages.server.tests.adapters.storage.journal.conftest import MIXED, ROWS, SMALL
from packages.server.tests.adapters.storage.journal.records import LEASE, all_endings, died, intent, served
from packages.server.tests.contract.booking import StillClock, failure, hold_request, settlement

REQUESTS = [hold_request(request_id=f"req_{number}") for number in range(4)]
STEPS = st.tuples(
    st.sampled_from(["intend", "note", "fail", "resolve", "forget", "durable", "crash"]), st.sampled_from(REQUESTS)
)


@dataclass
class Model:
    """What a journal should hold."""

    open: dict[str, Intent] = field(default_factory=dict)
    ended: dict[str, Resolved] = field(default_factory=dict)

    def draft(self, request_id: str, draft: Draft) -> None:
        if request_id in self.open:
            self.open[request_id] = Intent(self.open[request_id].hold, LEASE, draft)


@given(st.lists(STEPS, max_size=40), st.sampled_from([SMALL, ROWS, MIXED]))
@settings(max_examples=90, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_journal_holds_what_a_model_says(steps: list[tuple[str, HoldRequest]], options: Options) -> None:
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(follow(Path(directory) / "journal", steps, options))


async def follow(directory: Path, steps: list[tuple[str, HoldRequest]], options: Options) -> None:
    model = Model()
    journal = await JournalDirectory(directory, clock=StillClock(), options=options).open("first")
    for price, (step, asked) in enumerate(steps):
        if step == "crash":
            journal, directory = await crash(journal, directory)
            await compare(journal, model)
        else:
            await take(journal, model, step, asked, price)
    await compare(journal, model)
    await journal.close()
    assert directory.joinpath("first.sqlite").exists() == bool(model.open or model.ended)


async def take(journal: SqliteJournal, model: Model, step: str, asked: HoldRequest, price: int) -> None:
    request_id = asked.request_id
    if step == "intend" and request_id not in model.ended:
        model.open[request_id] = intent(asked)
        journal.intend(intent(asked))
    elif step == "note":
        model.draft(request_id, settlement(asked, price=price))
        journal.note(request_id, settlement(asked, price=price))
    elif step == "fail":
        model.draft(request_id, failure(asked))
        await journal.note(request_id, failure(asked)).durable()
    elif step == "resolve":
        model.open.pop(request_id, None)
        model.ended.setdefault(request_id, served(asked, price))
        journal.resolve(served(asked, price))
    elif step == "forget":
        await journal.note("req_none", failure(asked)).durable()  # it tells of what is on disk, and only of that
        numbers = [number for number, ending in await all_endings(journal) if ending.hold == asked]
        model.ended.pop(request_id, None)
        journal.forget(numbers)
    elif step == "durable":
        await journal.note("req_none", failure(asked)).durable()


async def crash(journal: SqliteJournal, directory: Path) -> tuple[SqliteJournal, Path]:
    """Everything durable, then gone; the next process adopts it, or opens its own where nothing was left."""
    await journal.note("req_none", failure(REQUESTS[0])).durable()
    copy = died(directory)
    await journal.close()
    adopter = JournalDirectory(copy, clock=StillClock(), options=SMALL)
    adopted = await adopter.adopt()
    return (adopted[0] if adopted else await adopter.open("first")), copy


async def compare(journal: SqliteJournal, model: Model) -> None:
    assert {one.hold.request_id: one for one in await journal.left_open()} == model.open
    endings = [ending for _, ending in await all_endings(journal)]
    assert {ending.hold.request_id: ending for ending in endings} == model.ended
    assert len(endings) == len(model.ended)
