"""A provider fails under load: requests that leave the model open are served, and the books are equal after.

`make faults` does it to every provider, in every way.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SUMMARY
from tests.faults.faults import KINDS
from tests.faults.proof import HEADING, line, prove

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("faults of providers"), pytest.mark.timeout(120)]


def test_requests_are_served_whichever_way_a_provider_fails(
    tmp_path: Path, record_property: Callable[[str, str], None]
) -> None:
    proof = prove(tmp_path, [("openai", kind) for kind in KINDS], seconds=4.0, at_once=8)
    rows = [HEADING, *(line(case, proof.cases[0]) for case in proof.cases)]
    record_property(SUMMARY, "\n".join(rows))
    assert sum(case.asked for case in proof.cases[1:]) >= 20
    assert proof.wrong == {}
    assert proof.holds, "\n".join(rows)
