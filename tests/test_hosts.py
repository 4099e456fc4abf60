"""Two hosts with two gateways each: what somebody changes while they work is seen by every one of them.

`make hosts` tries every fault of `docs/explanation/faults.md` that takes several hosts.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SUMMARY
from tests.hosts import silence
from tests.hosts.proof import prove
from tools import postgresql

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("hosts"), pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[1]
FAULTS = ("key revoked", "cap lowered", "price changed in flight")


def test_what_is_changed_is_seen_by_every_process_of_every_host(
    postgresql_server: postgresql.Cluster, tmp_path: Path, record_property: Callable[[str, str], None]
) -> None:
    """(The shared server is asked for first: where there is none, the test is skipped.)"""
    assert postgresql_server
    found = prove(tmp_path, FAULTS)
    record_property(SUMMARY, "\n".join(f"{one.fault}: {'; '.join(one.figures)}" for one in found))
    assert [one.wrong for one in found] == [[]] * len(found)


def test_a_host_behind_a_wire_that_is_silent_is_told_nothing() -> None:
    assert silence.wired() == silence.SEEN


def test_a_host_with_a_namespace_loses_packets_and_is_told_nothing() -> None:
    command = [sys.executable, "-m", "tests.hosts.silence"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    if done.stdout.startswith("not allowed"):
        pytest.skip(done.stdout.strip())
    assert done.stdout.splitlines() == silence.SEEN, done.stderr
