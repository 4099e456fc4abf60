"""Two workers replaced under load, then one killed: nobody is cut short but by the kill, and the books are exact.

`make rolling` does it with streams of ten seconds and three restarts, on both databases.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SUMMARY
from tests.rolling.__main__ import told
from tests.rolling.proof import MEDIUM, roll
from tests.rolling.stages import workers_at

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("rolling"), pytest.mark.timeout(300)]


def test_a_restart_cuts_nobody_a_death_only_its_own_and_no_counter_falls(
    tmp_path: Path, record_property: Callable[[str, str], None]
) -> None:
    with workers_at(tmp_path) as where:
        rolled = asyncio.run(roll(where, restarts=1, steering=MEDIUM, callers=4))
    record_property(SUMMARY, told(rolled))
    assert (rolled.failed, rolled.fell, rolled.books) == ([], [], {})
    assert rolled.spared
