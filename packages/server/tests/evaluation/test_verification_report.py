"""The entry point: replies and files in, what the checks make of them out."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from monkey_coder_server.evaluation.verification.__main__ import main

BEFORE = "import math\n\n\ndef area(radius):\n    return math.pi * radius\n"
AFTER = BEFORE.replace("math.pi * radius", "math.pi * pow(radius, 2)")
LEAD = (
    "The area grows with the square of the radius, so the exponent has to be two. I changed the one line at fault.\n\n"
)
REPLY = (
    f"{LEAD}src/area.py\n```python\n<<<<<<< SEARCH\ndef area(radius):\n    return math.pi * radius\n=======\n"
    "def area(radius):\n    return math.pi * pow(radius, 2)\n>>>>>>> REPLACE\n```\n"
)


def _report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *cases: dict[str, Any], packed: bool = False
) -> dict[str, Any]:
    text = "".join(json.dumps(case) + "\n" for case in cases).encode()
    path = tmp_path / ("edits.jsonl.gz" if packed else "edits.jsonl")
    path.write_bytes(gzip.compress(text) if packed else text)
    assert main(["--edits", str(path), "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def _case(reply: str = REPLY, before: str | None = BEFORE) -> dict[str, Any]:
    return {"commit": "c", "files": {"src/area.py": [before, AFTER]}, "reply": reply}


def test_a_good_reply_passes_and_each_damage_to_it_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _report(tmp_path, capsys, _case())
    assert found["good"]["together"] == {"judged": 1, "passed": 1}
    assert found["good"]["syntax"] == {"judged": 1, "passed": 1}
    assert found["applied"] == {"passed": 1, "as_committed": 1}
    damaged = {each["damage"]: (each["made"], each["found"]) for each in found["damaged"]}
    assert damaged.pop("declines")[0] >= damaged.pop("cut anywhere")[0] == 1
    assert set(damaged.values()) == {(1, 1)}


def test_what_cannot_be_damaged_is_not_and_what_differs_from_its_commit_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = {"files": {"a.md": ["x", "x"]}, "reply": "Nothing has to change."}
    other = _case(REPLY.replace("pow(radius, 2)", "radius * radius"))
    new = _case("src/area.py\n<<<<<<< SEARCH\n=======\nx = 1\n>>>>>>> REPLACE\n", None)
    found = _report(tmp_path, capsys, words, other, new, packed=True)
    assert found["cases"] == 3
    assert found["applied"] == {"passed": 2, "as_committed": 0}
    made = {each["damage"]: each["made"] for each in found["damaged"]}
    assert made["one bracket lost in new Python"] == 0
    assert made["one searched word is wrong"] == made["edits a file that is not there"] == 1
    assert set(found["verdict_ms"]["with files"]) == {"p50", "p90", "p99"}


def test_people_get_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "edits.jsonl"
    path.write_text(json.dumps(_case()) + "\n")
    assert main(["--edits", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "| `patch_applies` | 1 | 1 |" in shown
    assert "| edits a file that is not there | 1 | `known_files` | 1 | 1 |" in shown
    assert "Milliseconds of CPU, with files: not measured." in shown
