"""Four gateways, one Redis that dies: no limit lets through more than it says, and each can be used.

`make exact-rates` tries 256 clients for minutes, with Redis, without it and while it dies.
"""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from monkey_coder_server.domain.rates import Measure
from tests.conftest import SUMMARY
from tests.rates.findings import judged
from tests.rates.house import tried
from tests.rates.trials import KILLED, Trial
from tools import postgresql

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("rates over HTTP"), pytest.mark.timeout(300)]

ALLOWED = {Measure.REQUESTS: 400, Measure.TOKENS: 450_000, Measure.CONCURRENCY: 8}
QUICK = Trial(KILLED, ALLOWED, clients=60, seconds=14.0, killed_after=6.0)


def test_no_limit_lets_through_more_while_redis_dies(
    postgresql_server: postgresql.Cluster, tmp_path: Path, record_property: Callable[[str, str], None]
) -> None:
    with psycopg.connect(postgresql_server.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE rates")
    found = judged(QUICK, tried(tmp_path, postgresql_server.database("rates"), QUICK))
    record_property(SUMMARY, "\n".join(str(finding) for finding in found))
    assert [finding.wrong for finding in found] == [()] * len(found)
