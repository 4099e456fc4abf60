"""The present code can be frozen when its revision ends: every row it writes is in the business it then does."""

import json
from pathlib import Path

import pytest

from monkey_coder_server.adapters.storage import migrate
from tools.frozen.__main__ import ROOT, speak


@pytest.mark.system
def test_the_present_code_says_all_it_can_write(tmp_path: Path) -> None:
    assert speak(ROOT, tmp_path) == migrate.HEAD
    read = {path.stem: json.loads(path.read_text()) for path in tmp_path.iterdir()}
    assert read.keys() == {"sqlite", "postgresql", "business"}
    assert read["sqlite"].keys() == read["postgresql"].keys()
    said = {name for part in ("before", "after") for name, *_ in read["business"][part]}
    inserts = {name for name, sent in read["sqlite"].items() if sent["text"].strip().startswith("INSERT")}
    assert len(inserts) > 20
    assert inserts <= said
