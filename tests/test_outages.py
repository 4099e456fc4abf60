"""The database is killed under load: requests within leases do not even notice, and the books are equal after.

`make outages` takes it away for a minute, in every way of `tests/outages/outages.py`.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SUMMARY
from tests.outages.outages import WAYS
from tests.outages.proof import Times, prove
from tests.outages.table import table
from tools import postgresql

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("outages of gateways"), pytest.mark.timeout(300)]


def test_requests_within_leases_go_on_and_nobody_spends_more_than_there_is(
    postgresql_server: postgresql.Cluster, tmp_path: Path, record_property: Callable[[str, str], None]
) -> None:
    """(The shared server is asked for first: where there is none, the test is skipped.)"""
    assert postgresql_server
    proof = prove(tmp_path, [WAYS["kill"]], Times(warm=6.0, away=3.0, after=1.0))
    record_property(SUMMARY, table(proof))
    [one] = proof.outages
    assert one.within.errors == {}
    assert one.within.served >= 20
    assert set(one.outage.ready) == {200}
    assert proof.books.wrong == {}
