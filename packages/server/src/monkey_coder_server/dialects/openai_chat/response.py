"""A whole (not streamed) answer."""

from collections.abc import Sequence

from monkey_coder_server.dialects.openai_chat.assembly import Assembly
from monkey_coder_server.dialects.openai_chat.chunks import json_of, read_whole
from monkey_coder_server.dialects.openai_errors import failure_in_answer
from monkey_coder_server.dialects.wire import excerpt, parse_json
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.stream_events import Event


def decode_answer(body: bytes, provider: str) -> Sequence[Event]:
    """Read a body of status 200; ends in `Finished` or `Failed`."""
    out: list[Event] = []
    assembly = Assembly(provider)
    answer = read_whole(body)
    if answer is None:
        assembly.fail(FailureKind.MALFORMED, f"The answer is not a JSON object: {excerpt(body)[:200]!r}", out)
        return out
    failure = failure_in_answer(provider, parse_json(body)) if answer.error and json_of(answer.error) else None
    if failure is not None:
        assembly.fail_with(failure, out)
    elif not answer.choices:
        assembly.fail(FailureKind.MALFORMED, "The answer holds no choices.", out)
    else:
        assembly.take(answer, out)
        if not assembly.over():
            assembly.end(out)
    return out
