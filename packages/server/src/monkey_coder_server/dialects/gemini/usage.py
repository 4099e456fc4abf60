"""Gemini's usage: thoughts stand beside the candidates' tokens, tool-use prompts beside the prompt's."""

from collections.abc import Mapping

from monkey_coder_server.dialects.wire import as_count
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.usage import ReportedUsage


def read_usage(usage: Mapping[str, Json], *, searches: int) -> ReportedUsage:
    """Read `usageMetadata`; numbers as they came. `searches` counts `webSearchQueries`, billed by the piece."""
    return ReportedUsage(
        input_tokens=as_count(usage.get("promptTokenCount")),
        output_tokens=as_count(usage.get("candidatesTokenCount")),
        total_tokens=as_count(usage.get("totalTokenCount")),
        cached_input_tokens=as_count(usage.get("cachedContentTokenCount")),
        reasoning_tokens=as_count(usage.get("thoughtsTokenCount")),
        tool_input_tokens=as_count(usage.get("toolUsePromptTokenCount")),
        units={"webSearchQueries": searches} if searches else {},
    )
