"""Two hosts with two gateways each: what somebody changes while they work is seen by every one of them.

`make hosts` tries every fault of `docs/explanation/faults.md` that takes several hosts.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SUMMARY
from tests.hosts.proof import prove
from tools import postgresql

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("hosts"), pytest.mark.timeout(300)]

FAULTS = ("key revoked", "cap lowered", "price changed in flight")


def test_what_is_changed_is_seen_by_every_process_of_every_host(
    postgresql_server: postgresql.Cluster, tmp_path: Path, record_property: Callable[[str, str], None]
) -> None:
    """(The shared server is asked for first: where there is none, the test is skipped.)"""
    assert postgresql_server
    found = prove(tmp_path, FAULTS)
    record_property(SUMMARY, "\n".join(f"{one.fault}: {'; '.join(one.figures)}" for one in found))
    assert [one.wrong for one in found] == [[]] * len(found)
