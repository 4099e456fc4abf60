"""The programs of `docs/how-to/sdks.md`, run as they stand there but for the gateway's address."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, RunningGateway

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]

_PAGE = ROOT / "docs" / "how-to" / "sdks.md"
PROGRAMS = [
    program
    for program in re.findall(r"```python\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    if "import" in program  # the rest are lines to put into one
]


@pytest.mark.parametrize("program", PROGRAMS, ids=["openai", "anthropic", "google"])
def test_a_program_of_the_page_prints_an_answer_and_its_cost(
    gateway: RunningGateway, program: str, tmp_path: Path
) -> None:
    assert "http://127.0.0.1:8000" in program
    done = subprocess.run(
        [sys.executable, "-c", program.replace("http://127.0.0.1:8000", gateway.base_url)],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "MONKEY_CODER_API_KEY": gateway.api_key},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *words, cost = done.stdout.split()
    assert words
    assert float(cost) > 0
