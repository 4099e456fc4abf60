"""A provider fails under load: requests that leave the model open are served, and the books are equal after.

`make faults` does it to every provider, in every way.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SUMMARY
from tests.faults.faults import KINDS
from tests.faults.proof import HEADING, Load, line, prove

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("faults of providers"), pytest.mark.timeout(240)]


HEDGED = {"HEDGED_REQUESTS": "on"}


def test_requests_are_served_whichever_way_a_provider_fails(
    tmp_path: Path, record_property: Callable[[str, str], None]
) -> None:
    cases = prove(tmp_path, [("openai", kind) for kind in KINDS], Load(seconds=3.0, at_once=16))
    table = "\n".join([HEADING, *map(line, cases)])
    record_property(SUMMARY, table)
    assert all(case.holds for case in cases), table


def test_the_books_are_equal_where_late_calls_are_joined_by_second_ones(tmp_path: Path) -> None:
    [case] = prove(tmp_path, [("openai", "slow")], Load(seconds=3.0, at_once=16), settings=HEDGED)
    assert case.during.served == 1.0
    assert not case.wrong, case.wrong
