"""Two gateways on one PostgreSQL database give exactly as many answers as a limit can pay.

`make exact` tries one, two and four gateways on both databases, for 32 to 256 clients.
"""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.conftest import SUMMARY
from tests.exactness.cases import BALANCE, CAP, FIXED, RANDOM, Case
from tests.exactness.house import tried
from tools import postgresql

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("exactness"), pytest.mark.timeout(120)]

CASES = [Case(64, limit, prices, affordable=150) for limit in (BALANCE, CAP) for prices in (FIXED, RANDOM)]


def test_a_limit_is_good_for_exactly_what_it_can_pay(
    postgresql_server: postgresql.Cluster, tmp_path: Path, record_property: Callable[[str, str], None]
) -> None:
    with psycopg.connect(postgresql_server.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE exactness")
    outcomes, verdict = tried(tmp_path, postgresql_server.database("exactness"), 2, CASES)
    record_property(SUMMARY, "\n".join(str(outcome) for outcome in outcomes))
    assert [outcome.wrong for outcome in outcomes] == [{}] * len(CASES)
    assert verdict["sound"], verdict["details"]
    assert not any(verdict["checks"].values())
