"""Faults one after another under a load that never stops, then the books."""

import asyncio
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from monkey_coder_server.adapters.signing.ed25519 import load_or_create_signer
from monkey_coder_server.adapters.storage.open import open_storage
from monkey_coder_server.adapters.system.clock import SystemClock
from tests.hosts import changes, lives, outages
from tests.hosts.finding import Fault, Finding
from tests.hosts.house import Hosts, hosts
from tests.hosts.load import Balanced

FAULTS: Mapping[str, Fault] = MappingProxyType(
    {
        "key revoked": changes.key_revoked,
        "cap lowered": changes.cap_lowered,
        "price changed in flight": changes.price_changed,
        "PostgreSQL stopped": outages.database("stop"),
        "PostgreSQL killed": outages.database("kill"),
        "PostgreSQL paused": outages.database("pause"),
        "PostgreSQL slow": outages.slow_database,
        "host cut off from PostgreSQL": changes.cut_off_and_revoked,
        "host cut off from providers": outages.cut_off_from_providers,
        "host unplugged": outages.unplugged,
        "Redis down": outages.redis_down,
        "Redis killed": outages.redis_killed,
        "Redis paused": outages.redis_paused,
        "Redis flushed": outages.redis_flushed,
        "Redis slow": outages.redis_slow,
        "host cut off from Redis": outages.redis_cut_off,
        "rolling restart": lives.rolling,
        "gateway killed": lives.killed,
        "herd of cold keys": lives.herd,
        "clock an hour ahead": lives.clock(3600),
        "clock an hour behind": lives.clock(-3600),
    }
)
LIMIT = Decimal(1)
LONGEST_HELD = timedelta(minutes=15)
"""Within this each request has its one settlement, however its process died."""
OPEN = "SELECT count(*) FROM holds WHERE state = 'open'"
LEASES = "SELECT count(*) FROM leases WHERE state = 'open'"
HELD = "SELECT count(*) FROM wallets WHERE held <> 0 OR balance < 0"


def _quiet(_finding: Finding) -> None:
    """For who only wants them all."""


def prove(
    data: Path, names: Sequence[str], *, at_once: int = 1, workers: int = 1, told: Callable[[Finding], None] = _quiet
) -> list[Finding]:
    """Run them; the last finding is that of the books. Raises `NoPostgresql` and `NoRedis`."""
    with hosts(data, limit=LIMIT, workers=workers) as house:
        found = asyncio.run(_run(house, names, at_once, told))
        house.close()
        books = _books(house, killed="gateway killed" in names)
        told(books)
        return [*found, books]


async def _run(house: Hosts, names: Sequence[str], at_once: int, told: Callable[[Finding], None]) -> list[Finding]:
    load, found = Balanced(house, at_once=at_once), []
    load.start()
    for name in names:
        finding = Finding(name)
        try:
            await FAULTS[name](house, load, finding)
        except Exception as broken:  # noqa: BLE001 - one fault that cannot be tried spoils no other
            finding.wrong.append("".join(traceback.format_exception_only(broken)).strip())
        for host in house.hosts:
            host.network.mend()
        found.append(finding)
        told(finding)
    await load.stop()
    return found


def _books(house: Hosts, *, killed: bool) -> Finding:
    """Once every gateway has stopped in order: every job of the audit is at 0, nothing is held or leased.

    What one that was `killed` had held and not yet noted in its journal is held until its time.
    """
    finding = Finding("the books after all of it")
    [(held,)] = house.read(OPEN)
    finding.measured("held until their time", held, right=killed or not held)
    finding.measured("of them ended by it", asyncio.run(_ended_by(house, LONGEST_HELD)))
    verdict = house.admin("ledger", "verify")
    wrong = {name: count for name, count in verdict["checks"].items() if count}
    finding.measured("ledger verify", wrong or "all 0", right=bool(verdict["sound"]))
    for what, query in (("open holds", OPEN), ("open leases", LEASES), ("wallets that hold", HELD)):
        [(count,)] = house.read(query)
        finding.measured(what, count, right=not count)
    limited = [payer for payer in house.payers if payer.most is not None]
    for payer in limited:
        [(spent,)] = house.read(f"SELECT coalesce(sum(charged), 0) FROM holds WHERE key_id = '{payer.key_id}'")  # noqa: S608 - our own id
        finding.measured(f"{payer.name} spent", f"{int(spent)}/{payer.most}", right=int(spent) <= (payer.most or 0))
    return finding


async def _ended_by(house: Hosts, later: timedelta) -> int:
    """How many holds the sweeper ends so much later."""
    clock = SystemClock()
    signer = load_or_create_signer(Path(house.environment["DATA_DIR"]))
    store = await open_storage(house.cluster.url, signer=signer, clock=clock)
    try:
        return await store.ledger.expire_holds(clock.now() + later)
    finally:
        await store.close()
