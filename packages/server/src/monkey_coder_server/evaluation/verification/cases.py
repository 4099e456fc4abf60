"""Edits that models made, with the files before and after: one JSON object a line."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.stream_events import Answer, FinishReason
from monkey_coder_server.domain.verification.checks import verdict
from monkey_coder_server.domain.verification.verdict import Verdict


class Case(NamedTuple):
    """What a model wrote, and the files before it and after the commit that a tool made of it."""

    before: Mapping[str, str]
    after: Mapping[str, str]
    reply: str

    def verdict(self) -> Verdict:
        """All checks of the reply, as if its provider said that it ended by itself."""
        answer = Answer(text=[self.reply], finish=FinishReason.STOP)
        return verdict(ModelRequest(()), answer, files=self.before)


def read_cases(path: Path) -> list[Case]:
    """Lines of `{"files": {path: [before, after]}, "reply"}`, gzipped or not; a file that was not there is empty."""
    packed = path.read_bytes()
    text = (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode()
    found = []
    for line in filter(None, text.split("\n")):
        case = json.loads(line)
        pairs = case["files"].items()
        before = {name: contents[0] or "" for name, contents in pairs}
        found.append(Case(before, {name: contents[1] or "" for name, contents in pairs}, case["reply"]))
    return found
