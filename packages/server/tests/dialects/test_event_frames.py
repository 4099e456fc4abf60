"""A frame is one line of data for every reader, whatever its JSON says."""

import json

from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.event_frames import frame, one_line


@given(text=st.text(st.characters(exclude_categories=("Cs",))))
def test_nothing_in_a_text_ends_the_line(text: str) -> None:
    written = frame("said", one_line({"text": text})).decode()
    assert written.splitlines() == ["event: said", written.splitlines()[1], ""]
    assert json.loads(written.splitlines()[1].removeprefix("data: ")) == {"text": text}
