"""All checks of one answer."""

from collections.abc import Mapping
from types import MappingProxyType

from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.stream_events import Answer
from monkey_coder_server.domain.verification.completeness import no_refusal, not_empty, whole
from monkey_coder_server.domain.verification.files import file_findings
from monkey_coder_server.domain.verification.structure import structured, tool_calls
from monkey_coder_server.domain.verification.verdict import Verdict

MOST_TEXT = 400_000
"""Characters of an answer that are looked at. What is longer counts as not seen."""
NO_FILES: Mapping[str, str] = MappingProxyType({})


def verdict(
    request: ModelRequest, answer: Answer, *, files: Mapping[str, str] = NO_FILES, task_type: str = "custom"
) -> Verdict:
    """What can be told of an answer without running it.

    `files` are those sent with the request, content by path; `task_type` says whether unnamed blocks are files.
    Text that was relayed unread, or is too long, is not judged.
    """
    text = "" if answer.skimmed else "".join(answer.text)
    if len(text) > MOST_TEXT:
        text = ""
    return Verdict(
        (
            not_empty(answer),
            whole(answer, text),
            no_refusal(answer, text),
            *structured(request, text),
            tool_calls(request, answer),
            *file_findings(text, files, task_type),
        )
    )
